/// A pool of threads that share the items of one loop.
#pragma once

#include <cstdint>
#include <functional>

#include "util/interrupt.h"

namespace isingprop {

/// Runs body(thread, first, last) over [0, num_items) in pieces of at most `piece` items.
///
/// The calling thread is thread 0 of num_threads. Pieces are handed out in ascending order to
/// whichever thread is free, for example 10 items in pieces of 4 on two threads:
///
///     thread 0: [0, 4) ----> [8, 10)          thread 1: [4, 8) -------------->
///
/// The calling thread polls the interrupt while it waits for the others. An exception that a body
/// throws stops the loop and is rethrown here; Interrupted is thrown when the user stopped it.
void parallel_for(int num_threads, std::int64_t num_items, std::int64_t piece, Interrupt& interrupt,
                  const std::function<void(int, std::int64_t, std::int64_t)>& body);

}  // namespace isingprop
