/* SPDX-License-Identifier: PostgreSQL
 * hnswlib as a yardstick for graphs, on float32 vectors. Written to Debian's hnswlib 0.6.2.
 */
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

class Oracle
{
public:
	Oracle(bool inner_product, std::size_t dims, std::size_t rows, std::size_t m, std::size_t ef_construction)
	{
		if (inner_product)
			space_ = std::make_unique<hnswlib::InnerProductSpace>(dims);
		else
			space_ = std::make_unique<hnswlib::L2Space>(dims);
		graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), rows, m, ef_construction);
	}

	void
	add(const float *v, std::size_t row)
	{
		graph_->addPoint(v, row);
	}

	std::vector<std::size_t>
	search(const float *q, std::size_t k, std::size_t ef)
	{
		graph_->setEf(ef);
		auto found = graph_->searchKnn(q, k);
		std::vector<std::size_t> rows;
		for (; !found.empty(); found.pop())
			rows.push_back(found.top().second);
		return rows;
	}

private:
	std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};
