/* SPDX-License-Identifier: PostgreSQL
 * The value of type vecdb.query: what is a good one, names, and the wire form.
 *
 * Regime: core.
 */
#include "vecdb/query/value.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "vecdb/codec/sparsevec_text.hpp"
#include "vecdb/codec/sparsevec_wire.hpp"
#include "vecdb/codec/vector_text.hpp"
#include "vecdb/codec/vector_wire.hpp"

namespace vecdb::core::query
{

using distance::Metric;

namespace
{

bool
equal_in_any_case(std::string_view a, std::string_view b) noexcept
{
	if (a.size() != b.size())
		return false;
	for (std::size_t i = 0; i < a.size(); i++)
	{
		char c = a[i];
		if (c >= 'A' && c <= 'Z')
			c = static_cast<char>(c - 'A' + 'a');
		if (c != b[i])
			return false;
	}
	return true;
}

template <class Word>
Word
swap_to_host(Word big_endian) noexcept
{
	if constexpr (std::endian::native != std::endian::little)
		return big_endian;
	else if constexpr (sizeof(Word) == 8)
		return __builtin_bswap64(big_endian);
	else
		return __builtin_bswap32(big_endian);
}

template <class Word>
Word
get(const std::uint8_t *bytes) noexcept
{
	Word word;
	std::memcpy(&word, bytes, sizeof word);
	return swap_to_host(word);
}

template <class Word>
void
put(std::uint8_t *bytes, Word word) noexcept
{
	word = swap_to_host(word);
	std::memcpy(bytes, &word, sizeof word);
}

Status
cut_short() noexcept
{
	return Status::error(Code::invalid_data, "insufficient data left in message");
}

}  // namespace

bool
metric_by_name(std::string_view name, Metric &metric) noexcept
{
	static constexpr struct
	{
		const char *name;
		Metric metric;
	} names[] = {{"cosine", Metric::cosine},
				 {"dot", Metric::inner_product},
				 {"ip", Metric::inner_product},
				 {"inner_product", Metric::inner_product},
				 {"l2", Metric::l2},
				 {"euclid", Metric::l2},
				 {"euclidean", Metric::l2},
				 {"l1", Metric::l1},
				 {"manhattan", Metric::l1}};
	for (const auto &entry : names)
		if (equal_in_any_case(name, entry.name))
		{
			metric = entry.metric;
			return true;
		}
	return false;
}

bool
strategy_by_name(std::string_view name, Kind &kind) noexcept
{
	if (equal_in_any_case(name, "average_vector"))
		kind = Kind::average;
	else if (equal_in_any_case(name, "best_score"))
		kind = Kind::best_score;
	else if (equal_in_any_case(name, "sum_scores"))
		kind = Kind::sum_scores;
	else
		return false;
	return true;
}

bool
make_unit(float *x, std::size_t n) noexcept
{
	double norm2 = 0;
	for (std::size_t i = 0; i < n; i++)
		norm2 += static_cast<double>(x[i]) * static_cast<double>(x[i]);
	if (norm2 == 0)
		return false;
	if (std::fabs(norm2 - 1) < 1e-6)
		return true;
	double inverse = 1 / std::sqrt(norm2);
	for (std::size_t i = 0; i < n; i++)
		x[i] = static_cast<float>(static_cast<double>(x[i]) * inverse);
	return true;
}

Status
check_head(const QueryHead &head) noexcept
{
	if (head.version != kQueryVersion)
		return Status::error(Code::invalid_data, "version %d of a query is not known", head.version);
	if (head.metric < static_cast<std::uint8_t>(Metric::l2) || head.metric > static_cast<std::uint8_t>(Metric::l1))
		return Status::error(Code::invalid_data, "metric %d of a query is not known", head.metric);
	int most = 0;
	switch (static_cast<Form>(head.form))
	{
		case Form::dense: most = codec::kMaxVectorElements; break;
		case Form::sparse: most = codec::kMaxSparseDimensions; break;
		default: return Status::error(Code::invalid_data, "form %d of a query is not known", head.form);
	}
	if (head.dims < 1 || head.dims > most)
		return Status::error(Code::invalid_data, "a query cannot have %d dimensions", head.dims);
	constexpr auto kMost = static_cast<std::int32_t>(kMaxExamples);
	if (head.positives < 0 || head.negatives < 0)
		return Status::error(Code::invalid_data, "a query cannot have a negative number of examples");
	if (head.positives > kMost || head.negatives > kMost || head.positives + head.negatives > kMost)
		return Status::error(Code::limit_exceeded, "a query cannot have more than %d examples", kMost);
	bool good = false;
	switch (static_cast<Kind>(head.kind))
	{
		case Kind::average: good = head.positives == 1 && head.negatives == 0; break;
		case Kind::best_score:
		case Kind::sum_scores: good = head.positives + head.negatives > 0; break;
		case Kind::discover: good = head.positives == head.negatives; break;
		case Kind::context: good = head.positives == head.negatives && head.positives > 0; break;
		default: return Status::error(Code::invalid_data, "kind %d of a query is not known", head.kind);
	}
	if (!good)
		return Status::error(Code::invalid_data, "a query has the wrong number of examples for its kind");
	if (!(head.scale > 0) || std::isinf(head.scale) ||
		(head.scale != 1 && static_cast<Kind>(head.kind) != Kind::sum_scores))
		return Status::error(Code::invalid_data, "a query has a bad scale");
	return Status::success();
}

Status
decode_query_wire(std::span<const std::uint8_t> bytes, QueryHead &head, std::span<char> examples,
				  std::size_t &used) noexcept
{
	used = 0;
	if (bytes.size() < kQueryWireHeadBytes)
		return cut_short();
	const std::uint8_t *p = bytes.data();
	head = QueryHead{};
	head.version = p[0];
	head.kind = p[1];
	head.metric = p[2];
	head.form = p[3];
	head.dims = static_cast<std::int32_t>(get<std::uint32_t>(p + 4));
	head.positives = static_cast<std::int32_t>(get<std::uint32_t>(p + 8));
	head.negatives = static_cast<std::int32_t>(get<std::uint32_t>(p + 12));
	head.scale = std::bit_cast<double>(get<std::uint64_t>(p + 16));
	Status status = check_head(head);
	if (!status.ok())
		return status;
	bytes = bytes.subspan(kQueryWireHeadBytes);
	if (bytes.size() > examples.size())
		return Status::error(Code::internal, "no room for the examples of a query");
	std::uint32_t n = example_count(formula_of(head));
	for (std::uint32_t i = 0; i < n; i++)
	{
		std::size_t count = static_cast<std::size_t>(head.dims);
		if (static_cast<Form>(head.form) == Form::sparse)
		{
			if (bytes.size() < sizeof(std::int32_t))
				return cut_short();
			auto claimed = static_cast<std::int32_t>(get<std::uint32_t>(bytes.data()));
			if (claimed < 0 || claimed > codec::kMaxSparseElements || claimed > head.dims)
				return Status::error(Code::invalid_data, "an example of a query cannot have %d elements", claimed);
			count = static_cast<std::size_t>(claimed);
			std::memcpy(examples.data() + used, &claimed, sizeof claimed);
			used += sizeof claimed;
			bytes = bytes.subspan(sizeof claimed);
			if (bytes.size() < count * sizeof(std::int32_t))
				return cut_short();
			auto *indices = reinterpret_cast<std::int32_t *>(examples.data() + used);
			status = codec::decode_sparsevec_wire_indices(bytes, head.dims, std::span(indices, count));
			if (!status.ok())
				return status;
			used += count * sizeof(std::int32_t);
			bytes = bytes.subspan(count * sizeof(std::int32_t));
		}
		if (bytes.size() < count * sizeof(float))
			return cut_short();
		auto *values = reinterpret_cast<float *>(examples.data() + used);
		status = static_cast<Form>(head.form) == Form::sparse
					 ? codec::decode_sparsevec_wire_values(bytes, std::span(values, count))
					 : codec::decode_vector_wire_elements(bytes, std::span(values, count));
		if (!status.ok())
			return status;
		if (static_cast<Metric>(head.metric) == Metric::cosine && !make_unit(values, count))
			return Status::error(Code::invalid_data, "an example of a query cannot be zero under cosine");
		used += count * sizeof(float);
		bytes = bytes.subspan(count * sizeof(float));
	}
	if (!bytes.empty())
		return Status::error(Code::invalid_data, "a query has bytes behind its examples");
	return Status::success();
}

void
encode_query_wire(const QueryHead &head, const char *examples, std::uint8_t *out) noexcept
{
	out[0] = head.version;
	out[1] = head.kind;
	out[2] = head.metric;
	out[3] = head.form;
	put(out + 4, static_cast<std::uint32_t>(head.dims));
	put(out + 8, static_cast<std::uint32_t>(head.positives));
	put(out + 12, static_cast<std::uint32_t>(head.negatives));
	put(out + 16, std::bit_cast<std::uint64_t>(head.scale));
	out += kQueryWireHeadBytes;
	/* All words of 4 bytes, whatever they are. */
	std::uint32_t n = example_count(formula_of(head));
	const char *end = examples;
	for (std::uint32_t i = 0; i < n; i++)
		end = example_at(head, end).next;
	for (const char *p = examples; p < end; p += 4, out += 4)
	{
		std::uint32_t word;
		std::memcpy(&word, p, sizeof word);
		put(out, word);
	}
}

}  // namespace vecdb::core::query
