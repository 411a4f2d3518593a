#include "quantum/energy_table.h"

#include "targets/dispatch.h"
#include "util/pool.h"

namespace isingprop {
namespace {

/// Rows of the table between two checks of the interrupt.
constexpr std::int64_t kRowsPerPiece = 64;

}  // namespace

void fill_energy_table(const EnergyTableTask& task, int num_threads, double* energies,
                       Interrupt& interrupt) {
  const std::int64_t num_rows = std::int64_t{1} << task.num_output;
  const auto body = [&](int thread, std::int64_t first, std::int64_t last) {
    interrupt.check(thread == 0);
    for (std::int64_t row = first; row < last; ++row) {
      kernels().energy_row({.couplings = task.couplings,
                            .hidden_fields = task.hidden_fields,
                            .output_fields = task.output_fields,
                            .num_hidden = task.num_hidden,
                            .num_output = task.num_output,
                            .outputs = row,
                            .energies = energies + (row << task.num_hidden)});
    }
  };
  parallel_for(num_threads, num_rows, kRowsPerPiece, interrupt, body);
}

}  // namespace isingprop
