#include "targets/dispatch.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace isingprop {
namespace {

#if defined(__x86_64__)
/// CMakeLists.txt compiles x86_64_v3 with exactly these features, ...
bool has_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

/// ... and x86_64_v4 with these in addition.
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

std::vector<const KernelTable*> find_available() {
  std::vector<const KernelTable*> tables{&baseline::table};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_v3()) tables.push_back(&x86_64_v3::table);
  if (has_v4()) tables.push_back(&x86_64_v4::table);
#endif
  return tables;
}

const KernelTable* find(const std::string& name) {
  std::string names;
  for (const KernelTable* table : available_kernels()) {
    if (name == table->name) return table;
    names += names.empty() ? table->name : std::string(", ") + table->name;
  }
  throw std::invalid_argument("ISINGPROP_KERNEL must be one of " + names +
                              " on this processor, got " + name);
}

const KernelTable* first_choice() {
  const char* name = std::getenv("ISINGPROP_KERNEL");
  return name == nullptr || *name == '\0' ? available_kernels().back() : find(name);
}

std::atomic<const KernelTable*>& current() {
  static std::atomic<const KernelTable*> table{first_choice()};
  return table;
}

}  // namespace

const std::vector<const KernelTable*>& available_kernels() {
  static const std::vector<const KernelTable*> tables = find_available();
  return tables;
}

const KernelTable& kernels() { return *current().load(std::memory_order_relaxed); }

void select_kernels(const std::string& name) { current().store(find(name)); }

}  // namespace isingprop
