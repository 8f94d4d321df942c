/* SPDX-License-Identifier: PostgreSQL
 * Read Fashion-MNIST (idx, gzip) and GloVe (JSON), or generate clustered data.
 *
 * Regime: client program.
 */
#include "dataset.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>

namespace vecdb::client
{

namespace
{

constexpr std::uint64_t kSeed = 20260101;

struct PipeCloser
{
	void
	operator()(FILE *f) const
	{
		pclose(f);
	}
};

/* Whole content of a gzip file. gzip does it, so that nobody needs zlib's headers. */
std::vector<unsigned char>
gunzip(const std::string &path)
{
	if (path.find('\'') != std::string::npos)
		throw std::runtime_error("path with a quote: " + path);
	std::unique_ptr<FILE, PipeCloser> pipe(popen(("gzip -dc '" + path + "'").c_str(), "r"));
	if (!pipe)
		throw std::runtime_error("cannot run gzip");
	std::vector<unsigned char> content;
	std::vector<unsigned char> chunk(1 << 20);
	for (;;)
	{
		std::size_t n = fread(chunk.data(), 1, chunk.size(), pipe.get());
		if (n == 0)
			break;
		content.insert(content.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
	}
	if (content.empty())
		throw std::runtime_error("cannot read " + path + " (Debian package dataset-fashion-mnist)");
	return content;
}

std::uint32_t
big_endian(const unsigned char *p)
{
	return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

/* The bytes of an idx file of unsigned bytes; item_bytes: product of all dimensions but the first. */
std::vector<unsigned char>
read_idx(const std::string &path, std::size_t dimensions, std::size_t &items, std::size_t &item_bytes)
{
	std::vector<unsigned char> content = gunzip(path);
	std::size_t head = 4 + 4 * dimensions;
	if (content.size() < head || content[2] != 8 || content[3] != dimensions)
		throw std::runtime_error(path + " is not an idx file of bytes");
	items = big_endian(&content[4]);
	item_bytes = 1;
	for (std::size_t i = 1; i < dimensions; i++)
		item_bytes *= big_endian(&content[4 + 4 * i]);
	if (content.size() != head + items * item_bytes)
		throw std::runtime_error(path + " has the wrong length");
	content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(head));
	return content;
}

void
read_images(const std::string &prefix, Matrix &images, std::vector<std::uint8_t> &labels)
{
	std::size_t label_count = 0, one = 0;
	std::vector<unsigned char> pixels = read_idx(prefix + "-images-idx3-ubyte.gz", 3, images.rows, images.dims);
	images.values.assign(pixels.begin(), pixels.end());
	labels = read_idx(prefix + "-labels-idx1-ubyte.gz", 1, label_count, one);
	if (label_count != images.rows)
		throw std::runtime_error(prefix + ": as many labels as images are expected");
}

std::string
read_file(const std::string &path)
{
	FILE *f = fopen(path.c_str(), "rb");
	if (f == nullptr)
		throw std::runtime_error("cannot open " + path);
	std::string content;
	fseek(f, 0, SEEK_END);
	content.resize(static_cast<std::size_t>(ftell(f)));
	rewind(f);
	std::size_t got = fread(content.data(), 1, content.size(), f);
	fclose(f);
	if (got != content.size())
		throw std::runtime_error("cannot read " + path);
	return content;
}

/* Past the JSON string that starts at p. */
const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

}  // namespace

Dataset
load_fashion_mnist(const std::string &directory)
{
	Dataset d;
	d.name = "fashion-mnist-784";
	read_images(directory + "/train", d.base, d.base_labels);
	read_images(directory + "/t10k", d.queries, d.query_labels);
	return d;
}

Dataset
load_glove(const std::string &json_path, std::size_t held_out)
{
	/* {..., "vectors": {"word": [100 values, norm, index], ...}, ...}: one flat object of number arrays. */
	constexpr std::size_t kDims = 100;
	std::string json = read_file(json_path);
	std::size_t start = json.find("\"vectors\":{");
	if (start == std::string::npos)
		throw std::runtime_error(json_path + " has no \"vectors\"");
	const char *p = json.data() + start + strlen("\"vectors\":{");
	const char *end = json.data() + json.size();
	Matrix all;
	all.dims = kDims;
	while (p < end && *p != '}')
	{
		if (*p == ',')
			p++;
		p = skip_string(p, end);
		if (p + 1 >= end || p[0] != ':' || p[1] != '[')
			throw std::runtime_error(json_path + ": array expected");
		p += 2;
		for (std::size_t i = 0; p < end && *p != ']'; i++)
		{
			float value = 0;
			auto [next, error] = std::from_chars(p, end, value);
			if (error != std::errc())
				throw std::runtime_error(json_path + ": number expected");
			if (i < kDims)
				all.values.push_back(value);
			p = *next == ',' ? next + 1 : next;
		}
		p++;
		all.rows++;
		if (all.values.size() != all.rows * kDims)
			throw std::runtime_error(json_path + ": vector of another length");
	}
	if (all.rows <= held_out)
		throw std::runtime_error(json_path + " holds too few vectors");

	/* The words are sorted by frequency: shuffle, then the first ones are the queries. */
	std::vector<std::uint32_t> order(all.rows);
	std::iota(order.begin(), order.end(), 0u);
	std::mt19937_64 random(kSeed);
	for (std::size_t i = order.size() - 1; i > 0; i--)
		std::swap(order[i], order[random() % (i + 1)]);

	Dataset d;
	d.name = "glove-100";
	d.distance = Distance::cosine;
	d.queries.rows = held_out;
	d.base.rows = all.rows - held_out;
	for (Matrix *m : {&d.queries, &d.base})
	{
		m->dims = kDims;
		m->values.resize(m->rows * kDims);
	}
	for (std::size_t i = 0; i < order.size(); i++)
		memcpy(i < held_out ? d.queries.row(i) : d.base.row(i - held_out), all.row(order[i]), kDims * sizeof(float));
	return d;
}

Dataset
make_clustered(std::size_t rows, std::size_t dims, std::size_t queries, std::uint64_t seed)
{
	/* Clusters of a thousand rows; inside one, the spread falls off over the dimensions as in embeddings. */
	std::mt19937_64 random(seed);
	std::normal_distribution<float> normal;
	std::size_t clusters = rows / 1000 + 1;
	std::vector<float> centres(clusters * dims);
	for (float &c : centres)
		c = normal(random);
	std::vector<float> spread(dims);
	for (std::size_t i = 0; i < dims; i++)
		spread[i] = 1.2f / (1.0f + 4.0f * static_cast<float>(i) / static_cast<float>(dims));

	Dataset d;
	d.name = "clustered-" + std::to_string(rows) + "x" + std::to_string(dims);
	d.base.rows = rows;
	d.queries.rows = queries;
	for (Matrix *m : {&d.base, &d.queries})
	{
		m->dims = dims;
		m->values.resize(m->rows * dims);
		for (std::size_t i = 0; i < m->rows; i++)
		{
			const float *centre = &centres[random() % clusters * dims];
			for (std::size_t j = 0; j < dims; j++)
				m->row(i)[j] = centre[j] + spread[j] * normal(random);
		}
	}
	return d;
}

Dataset
load_dataset(const std::string &name, const std::string &path)
{
	if (name == "fashion")
		return load_fashion_mnist(path.empty() ? "/usr/share/datasets/fashion-mnist" : path);
	if (name == "glove")
	{
		if (path.empty())
			throw std::runtime_error("data set glove needs its path: see bench/README.md");
		return load_glove(path, 10000);
	}
	std::size_t rows = 0, dims = 0;
	if (sscanf(name.c_str(), "clustered:%zux%zu", &rows, &dims) == 2 && rows > 0 && dims > 0)
		return make_clustered(rows, dims, 1000, kSeed);
	throw std::runtime_error("no data set \"" + name + "\": fashion, glove or clustered:ROWSxDIMS");
}

}  // namespace vecdb::client
