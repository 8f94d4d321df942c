/* SPDX-License-Identifier: PostgreSQL
 * What a data set is like: rows, dimensions, local intrinsic dimension, and how hard it is for hnswlib.
 *
 * Regime: client program.
 */
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "hnswlib_yardstick.hpp"

namespace vecdb::client
{

int
describe(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	Exact wide(data, 300, 100, options.get("cache", ""));
	printf("%s: %zu rows, %zu dimensions, %s, local intrinsic dimension %.1f (100 nearest of 300 queries)\n",
		   data.name.c_str(), data.base.rows, data.base.dims, data.distance == Distance::l2 ? "L2" : "cosine",
		   wide.intrinsic_dimension());
	if (options.get("hnswlib", "yes") != "yes")
		return 0;
	auto graph = make_hnswlib_yardstick(data, static_cast<int>(options.number("m", 16)),
										static_cast<int>(options.number("ef-construction", 64)), 2, "");
	Exact exact(data, 500, 10, options.get("cache", ""));
	for (const std::string &ef : options.list("ef", "20,40,80,160,320,640"))
	{
		graph->set_effort(std::stoul(ef));
		std::vector<std::vector<std::int32_t>> found;
		for (std::size_t q = 0; q < exact.query_count(); q++)
			found.push_back(graph->search(q, 10));
		Load load = graph->run_load(1, exact.query_count(), 10, 1);
		printf("  hnswlib ef %4s: recall@10 %.4f, %.0f us CPU a query\n", ef.c_str(), exact.recall(found), load.cpu_us);
	}
	return 0;
}

}  // namespace vecdb::client
