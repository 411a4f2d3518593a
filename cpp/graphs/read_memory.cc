#include "graphs/read_memory.h"

#include <algorithm>
#include <cmath>

#include "chains/exact_descent.h"
#include "kernels/metropolis/random_stream.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// A descent by rounded couplings takes at most this many passes more than there are spins.
constexpr std::int64_t kMorePasses = 1000;
constexpr int kReadGeneratorWords = 4 * kStreams;
/// Places whose words are unpacked together, so that they stay in the cache.
constexpr std::int64_t kPlaces = 512;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

ReadMemory::ReadMemory(const GraphGrid& grid)
    : grid_(grid),
      words_(make_zeroed<std::uint32_t>(index(2 * grid.num_spins()))),
      generators_(make_zeroed<std::uint32_t>(kBlockGeneratorWords)),
      randoms_(make_zeroed<std::uint32_t>(kGroup * kMostReads)),
      signs_(make_zeroed<std::uint32_t>(index(padded(grid.num_spins())))),
      one_generators_(make_zeroed<std::uint32_t>(kReadGeneratorWords)),
      coupling_fields_(make_zeroed<float>(index(padded(grid.num_spins())))),
      open_(index(grid.num_spins())) {}

ReadBlock ReadMemory::block(int num_reads) const {
  return {words_.get(), generators_.get(), randoms_.get(), num_reads};
}

OneRead ReadMemory::one() const {
  return {signs_.get(), coupling_fields_.get(), one_generators_.get()};
}

void ReadMemory::seed_one(std::uint64_t key) {
  seed_generator(key, one_generators_.get(), kReadGeneratorWords);
}

void ReadMemory::seed_block(int read, std::uint64_t key) {
  std::uint32_t words[kReadGeneratorWords];
  seed_generator(key, words, kReadGeneratorWords);
  for (int word = 0; word < 4; ++word) {
    for (int stream = 0; stream < kStreams; ++stream) {
      generators_[index((4 * stream + word) * kMostReads + read)] = words[word * kStreams + stream];
    }
  }
}

void ReadMemory::take_block(int read, const std::int8_t* spins) {
  const std::uint32_t bit = 1u << (read % kReadsPerWord);
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    std::uint32_t& word = words_[index(2 * place + read / kReadsPerWord)];
    word = spins[grid_.order()[index(place)]] > 0 ? word | bit : word & ~bit;
  }
}

void ReadMemory::take_one(const std::int8_t* spins) {
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    signs_[index(place)] = spins[grid_.order()[index(place)]] > 0 ? 0 : kSignBit;
  }
}

void ReadMemory::join(int read) {
  const std::uint32_t bit = 1u << (read % kReadsPerWord);
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    std::uint32_t& word = words_[index(2 * place + read / kReadsPerWord)];
    word = signs_[index(place)] == 0 ? word | bit : word & ~bit;
  }
}

void ReadMemory::copy_block(const ReadMemory& from, int read) {
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    words_[index(2 * place)] = from.is_up(place, read);
  }
}

void ReadMemory::copy_one(const ReadMemory& from) {
  std::copy_n(from.signs_.get(), padded(grid_.num_spins()), signs_.get());
}

void ReadMemory::write(int num_reads, std::int8_t* spins, double* energies) {
  const std::int64_t num_spins = grid_.num_spins();
  for (std::int64_t begin = 0; begin < num_spins; begin += kPlaces) {
    const std::int64_t end = std::min(num_spins, begin + kPlaces);
    for (int read = 0; read < num_reads; ++read) {
      std::int8_t* row = spins + read * num_spins;
      for (std::int64_t place = begin; place < end; ++place) {
        row[grid_.order()[index(place)]] = is_up(place, read) ? 1 : -1;
      }
    }
  }

  double all[kMostReads];
  kernels().given_energies(grid_.given(), block(num_reads), all);
  std::copy_n(all, num_reads, energies);
}

/// Returns the sign of h_i + sum_j J_ij s_j of a read.
int ReadMemory::sign(std::int64_t place, int read) {
  const CouplingLists& lists = grid_.lists();
  terms_.assign(1, grid_.given().fields[place]);
  for (std::int64_t k = lists.first[index(place)]; k < lists.first[index(place) + 1]; ++k) {
    const double coupling = lists.couplings[index(k)];
    terms_.push_back(is_up(lists.others[index(k)], read) ? coupling : -coupling);
  }
  return sign_of(terms_);
}

void ReadMemory::descend_block(int num_reads, Interrupt& interrupt, bool may_poll) {
  const GraphRows& rows = grid_.rows();
  const std::uint64_t all = ~std::uint64_t{0} >> (kMostReads - num_reads);
  std::int64_t passes = kMorePasses + rows.num_spins;
  while ((kernels().lower_reads(rows, block(num_reads)) & all) != 0 && --passes > 0) {
    interrupt.check(may_poll);
  }
  if (!grid_.is_rounded()) return;
  const std::uint64_t open = kernels().open_reads(rows, block(num_reads), open_.data()) & all;
  for (int read = 0; read < num_reads; ++read) {
    if (open >> read & 1u) settle_exactly(read);
  }
}

void ReadMemory::descend_one(int read, Interrupt& interrupt, bool may_poll) {
  const GraphRows& rows = grid_.rows();
  std::int64_t passes = kMorePasses + rows.num_spins;
  while (kernels().lower_one(rows, one()) && --passes > 0) interrupt.check(may_poll);
  join(read);
  if (grid_.is_rounded() && kernels().open_one(rows, one(), read, open_.data())) {
    settle_exactly(read);
  }
}

void ReadMemory::settle_exactly(int read) {
  const CouplingLists& lists = grid_.lists();
  std::vector<std::int64_t> left;
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    if (open_[index(place)] >> read & 1u) left.push_back(place);
  }
  while (!left.empty()) {
    const std::int64_t place = left.back();
    left.pop_back();
    if (sign(place, read) * (is_up(place, read) ? 1 : -1) <= 0) continue;
    flip(place, read);
    left.insert(left.end(), lists.others.begin() + lists.first[index(place)],
                lists.others.begin() + lists.first[index(place) + 1]);
  }
}

}  // namespace isingprop
