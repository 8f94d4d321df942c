/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the beam search with a graph made of the input's bytes: any links, any distances (NaN, infinities, both signs),
 * dead nodes. It ends, returns each live node at most once, and at the end of all widening each that it reached.
 *
 * Input: ef, entries, number of nodes, kind of distance; then 5 bytes of distance and state a node, then links.
 */
#include "vecdb/graph/beam_search.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

using namespace vecdb::core;
using namespace vecdb::core::graph;

static void
require(bool condition)
{
	if (!condition)
		std::abort();
}

namespace
{

struct Graph
{
	std::vector<float> distances;
	std::vector<std::uint8_t> dead;
	std::vector<std::vector<std::uint32_t>> links;
	std::vector<bool> scored;
	std::uint64_t visits = 0;
};

struct Store
{
	Graph *graph;

	unsigned
	neighbors(std::uint32_t id, std::uint32_t *out)
	{
		const auto &l = graph->links.at(id);
		if (!l.empty())
			std::memcpy(out, l.data(), l.size() * sizeof *out);
		graph->visits++;
		return static_cast<unsigned>(l.size());
	}
	void
	score(const std::uint32_t *ids, unsigned n, Scored *out)
	{
		for (unsigned i = 0; i < n; i++)
		{
			graph->scored[ids[i]] = true;
			out[i] = Scored{graph->distances.at(ids[i]), graph->dead[ids[i]] ? -1.0f : 0.0f, ids[i], 0};
		}
	}
	void
	bring(const std::uint32_t *ids, unsigned n)
	{
		require(n > 0 && n <= BeamSearch::kWave);
		for (unsigned i = 0; i < n; i++)
			require(ids[i] < graph->distances.size());
	}
	void
	expand(std::uint32_t id, float threshold, Scored &self, Scored *out, unsigned &n)
	{
		score(&id, 1, &self);
		graph->visits++;
		n = 0;
		for (std::uint32_t to : graph->links.at(id))
		{
			/* An estimate: the distance of another node. */
			float estimate = graph->distances[(to * 7u + id) % graph->distances.size()];
			if (!(estimate >= threshold))
				out[n++] = Scored{std::isnan(estimate) ? 0 : estimate, 0, to, 0};
		}
	}
	void
	prefetch(std::uint32_t id)
	{
		require(id < graph->distances.size());
	}
	void
	poll()
	{
		graph->visits++;
		require(graph->visits < 10000000);
	}
};

struct Reader
{
	const std::uint8_t *data;
	std::size_t size;

	std::uint8_t
	byte()
	{
		if (size == 0)
			return 0;
		size--;
		return *data++;
	}
};

float
distance_of(Reader &in, std::uint8_t kind)
{
	std::uint32_t bits = 0;
	for (int i = 0; i < 4; i++)
		bits = bits << 8 | in.byte();
	float x;
	switch (kind % 4)
	{
		case 0: std::memcpy(&x, &bits, sizeof x); return x;
		case 1: return static_cast<float>(bits >> 24);
		case 2: return 1000.0f + static_cast<float>(bits >> 16) * 0x1p-13f;
		default: return static_cast<float>(static_cast<std::int32_t>(bits)) * 1e20f;
	}
}

void
search(Graph &graph, const std::vector<std::uint32_t> &entries, std::uint32_t ef, bool estimates)
{
	std::size_t n = graph.distances.size();
	graph.scored.assign(n, false);
	auto beam = std::make_unique<BeamSearch>();
	require(beam->init(malloc_memory(), ef));
	beam->reset(ef);
	Store store{&graph};
	std::vector<bool> taken(n);
	bool ended = false;
	for (std::uint32_t e : entries)
		require(estimates ? beam->add_estimate_entry(store, e) : beam->add_entry(store, e));
	for (int round = 0; round < 40 && !ended; round++)
	{
		require(estimates ? beam->run_estimates(store) : beam->run(store));
		std::vector<Scored> out((estimates ? beam->result_count : beam->take_bound()) + 1);
		std::uint32_t count = estimates ? beam->take_results(out.data(), 10) : beam->take(out.data());
		require(count < out.size());
		for (std::uint32_t i = 0; i < count; i++)
		{
			require(out[i].id < n && !taken[out[i].id] && !graph.dead[out[i].id]);
			taken[out[i].id] = true;
		}
		ended = estimates ? beam->exhausted_estimates() : beam->exhausted();
		if (!ended && estimates)
			require(beam->widen_estimates(store, beam->ef * 2));
		else if (!ended)
			beam->widen(beam->ef * 2);
	}
	require(ended);
	for (std::size_t i = 0; i < n; i++)
		require(!graph.scored[i] || graph.dead[i] || std::isnan(graph.distances[i]) || taken[i]);
	beam->memory.release(beam->entries);
	beam->memory.release(beam->results);
	beam->visited.destroy();
}

}  // namespace

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < 8)
		return 0;
	Reader in{data, size};
	std::uint32_t ef = 1 + in.byte();
	std::uint32_t entries_wanted = 1 + in.byte() % 4;
	std::uint32_t n = 1 + in.byte() + 4 * (in.byte() % 64);
	std::uint8_t kind = in.byte();
	Graph graph;
	graph.links.resize(n);
	for (std::uint32_t i = 0; i < n; i++)
	{
		graph.distances.push_back(distance_of(in, kind));
		graph.dead.push_back(in.byte() > 200);
		/* So that short inputs make connected graphs. */
		graph.links[i].push_back((i + 1) % n);
	}
	while (in.size >= 4)
	{
		std::uint32_t from = static_cast<std::uint32_t>(in.byte() | in.byte() << 8) % n;
		std::uint32_t to = static_cast<std::uint32_t>(in.byte() | in.byte() << 8) % n;
		if (graph.links[from].size() < BeamSearch::kMaxLanes)
			graph.links[from].push_back(to);
	}
	std::vector<std::uint32_t> entries;
	for (std::uint32_t i = 0; i < entries_wanted; i++)
		entries.push_back(i * 37 % n);
	search(graph, entries, ef, false);
	/* widen_estimates() forgets an entry that was not expanded, so there is one only: it always is. */
	entries.resize(1);
	search(graph, entries, ef, true);
	return 0;
}
