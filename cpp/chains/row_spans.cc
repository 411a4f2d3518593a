#include "chains/row_spans.h"

#include <algorithm>

namespace isingprop {
namespace {

/// Rows are stored as spans if these are this many times shorter.
constexpr std::int64_t kMinSaving = 4;

template <class Real>
std::vector<RowSpan> find_row_spans(const Real* couplings, std::int64_t num_rows,
                                    std::int64_t length) {
  std::vector<RowSpan> spans;
  spans.reserve(static_cast<std::size_t>(num_rows));
  std::int64_t offset = 0;

  for (std::int64_t row = 0; row < num_rows; ++row, couplings += length) {
    std::int64_t first = 0, last = length;
    while (last > 0 && couplings[last - 1] == Real{0}) --last;
    while (first < last && couplings[first] == Real{0}) ++first;

    spans.push_back({.offset = offset, .first = first / kBlock, .last = padded(last) / kBlock});
    offset = end_of(spans.back());
    if (kMinSaving * offset > num_rows * padded(length)) return {};
  }
  return spans;
}

/// Finds the spans of the columns. Looks at the spans of the rows only.
template <class Real>
std::vector<RowSpan> find_column_spans(const Real* couplings, const std::vector<RowSpan>& rows,
                                       std::int64_t length) {
  std::vector<RowSpan> spans(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < rows.size(); ++i, couplings += length) {
    const auto block = static_cast<std::int64_t>(i) / kBlock;
    const std::int64_t end = std::min(rows[i].last * kBlock, length);
    for (std::int64_t a = rows[i].first * kBlock; a < end; ++a) {
      if (couplings[a] == Real{0}) continue;
      RowSpan& span = spans[static_cast<std::size_t>(a)];
      if (span.last == 0) span.first = block;
      span.last = block + 1;
    }
  }

  std::int64_t offset = 0;
  for (RowSpan& span : spans) {
    span.offset = offset;
    offset = end_of(span);
  }
  return spans;
}

}  // namespace

template <class Real>
RowSpans find_spans(const Real* couplings, std::int64_t num_rows, std::int64_t num_columns) {
  RowSpans spans;
  spans.rows = find_row_spans(couplings, num_rows, num_columns);
  if (!spans.rows.empty()) spans.columns = find_column_spans(couplings, spans.rows, num_columns);
  return spans;
}

template RowSpans find_spans(const float*, std::int64_t, std::int64_t);
template RowSpans find_spans(const double*, std::int64_t, std::int64_t);

}  // namespace isingprop
