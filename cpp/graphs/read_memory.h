/// Memory of the reads that one thread works on, and the steps that all samplers of graphs share.
#pragma once

#include <cstdint>
#include <vector>

#include "graphs/graph_grid.h"
#include "graphs/graph_problem.h"
#include "util/aligned.h"
#include "util/interrupt.h"

namespace isingprop {

/// A block of reads, and one read apart from it.
class ReadMemory {
 public:
  explicit ReadMemory(const GraphGrid& grid);

  ReadBlock block(int num_reads) const;
  OneRead one() const;

  /// Seeds the generators of a read of the block, and of the read apart.
  void seed_block(int read, std::uint64_t key);
  void seed_one(std::uint64_t key);

  /// Takes the start state of a read of the block, and of the read apart. Spins are in the user's
  /// order.
  void take_block(int read, const std::int8_t* spins);
  void take_one(const std::int8_t* spins);
  /// Copies the spins of the read apart into a read of the block.
  void join(int read);

  /// Copies the spins of a read of another block into read 0, or of its read apart.
  void copy_block(const ReadMemory& from, int read);
  void copy_one(const ReadMemory& from);

  /// Writes the spins of the first reads of the block, (num_reads, num_spins), and their energies.
  void write(int num_reads, std::int8_t* spins, double* energies);

  /// Flips spins of the first reads of the block until no single flip lowers the energy as it was
  /// given. Throws Interrupted.
  void descend_block(int num_reads, Interrupt& interrupt, bool may_poll);
  /// Does the same with the read apart, and copies it into a read of the block.
  void descend_one(int read, Interrupt& interrupt, bool may_poll);

 private:
  bool is_up(std::int64_t place, int read) const {
    return words_[2 * place + read / kReadsPerWord] >> (read % kReadsPerWord) & 1u;
  }
  void flip(std::int64_t place, int read) {
    words_[2 * place + read / kReadsPerWord] ^= 1u << (read % kReadsPerWord);
  }
  int sign(std::int64_t place, int read);
  void settle_exactly(int read);

  const GraphGrid& grid_;
  AlignedArray<std::uint32_t> words_, generators_, randoms_, signs_, one_generators_;
  AlignedArray<float> coupling_fields_;
  std::vector<std::uint64_t> open_;  ///< spins whose fields may have another sign, see open_reads()
  std::vector<double> terms_;
};

}  // namespace isingprop
