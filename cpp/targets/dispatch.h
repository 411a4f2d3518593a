/// Which table of kernels this process uses: the widest the processor has, or the one that was
/// asked for.
#pragma once

#include <string>
#include <vector>

#include "targets/kernel_table.h"

namespace isingprop {

/// The tables this processor can run, narrowest first. The first is always "baseline".
const std::vector<const KernelTable*>& available_kernels();

/// The table in use. At first the widest, or the one that the environment variable ISINGPROP_KERNEL
/// names.
const KernelTable& kernels();

/// Puts another table in use. Throws std::invalid_argument where the processor cannot run it.
void select_kernels(const std::string& name);

}  // namespace isingprop
