#include <doctest/doctest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

// ctest runs this file twice: without ISINGPROP_KERNEL, and with ISINGPROP_KERNEL=baseline.
TEST_CASE("the table in use is the one that the environment names, else the widest") {
  const char* wanted = std::getenv("ISINGPROP_KERNEL");
  CHECK(std::string(kernels().name) == (wanted ? wanted : available_kernels().back()->name));
}

TEST_CASE("each table can be put in use by its name") {
  const std::string before = kernels().name;
  CHECK(std::string(available_kernels().front()->name) == "baseline");
  for (const KernelTable* table : available_kernels()) {
    select_kernels(table->name);
    CHECK(&kernels() == table);
  }
  select_kernels(before);
}

TEST_CASE("an unknown table is refused by name, and the one in use stays") {
  const KernelTable* before = &kernels();
  std::string names;
  for (const KernelTable* table : available_kernels())
    names += (names.empty() ? "" : ", ") + std::string(table->name);
  const std::string message =
      "ISINGPROP_KERNEL must be one of " + names + " on this processor, got mmx";
  CHECK_THROWS_WITH_AS(select_kernels("mmx"), message.c_str(), std::invalid_argument);
  CHECK(&kernels() == before);
}

}  // namespace
}  // namespace isingprop::test
