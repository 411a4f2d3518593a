/// The table of one target, filled from the list of kernels.
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

#define ISINGPROP_DECLARATION(result, kernel, parameters) result kernel parameters;

ISINGPROP_KERNELS(ISINGPROP_DECLARATION)
ISINGPROP_REAL_KERNELS(ISINGPROP_DECLARATION, float)
ISINGPROP_REAL_KERNELS(ISINGPROP_DECLARATION, double)

#define ISINGPROP_ENTRY(result, kernel, parameters) .kernel = kernel,
#define ISINGPROP_STRING_OF(x) #x
#define ISINGPROP_STRING(x) ISINGPROP_STRING_OF(x)

const KernelTable table = {
    .name = ISINGPROP_STRING(ISINGPROP_TARGET),
    ISINGPROP_KERNELS(ISINGPROP_ENTRY).of_float = {ISINGPROP_REAL_KERNELS(ISINGPROP_ENTRY, float)},
    .of_double = {ISINGPROP_REAL_KERNELS(ISINGPROP_ENTRY, double)}};

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
