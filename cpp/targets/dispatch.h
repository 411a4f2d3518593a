/// The choice of the table of kernels that this process uses.
#pragma once

#include <string>
#include <vector>

#include "targets/kernel_table.h"

namespace isingprop {

/// Returns the tables that this processor can run, narrowest registers first. The first is always
/// "baseline".
const std::vector<const KernelTable*>& available_kernels();

/// Returns the table in use: at first the last available one, or the one that the environment
/// variable ISINGPROP_KERNEL names.
const KernelTable& kernels();

/// Puts another table in use. Throws std::invalid_argument if the processor cannot run it.
void select_kernels(const std::string& name);

}  // namespace isingprop
