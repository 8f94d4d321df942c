/* SPDX-License-Identifier: PostgreSQL
 * Read Fashion-MNIST (idx, gzip) and GloVe (JSON), or generate clustered data.
 *
 * Regime: client program.
 */
#include "dataset.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>

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

/* What embeddings look like to a graph: rows lie in overlapping clusters, and around a row the data has far fewer
 * directions than dimensions.
 *
 *   row = centre of a cluster + directions of that cluster * (kLatent normals, spread falling off) + noise in all dimensions
 *
 * Centres are themselves of kLatent dimensions, near enough to each other that neighbourhoods reach over the edges of a
 * cluster, as everywhere in real data. Clusters differ in size (powers of a uniform variable) and in width. Each row has a
 * seed of its own, so that any number of threads makes the same rows. */
Dataset
make_synthetic(std::size_t rows, std::size_t dims, Distance distance, std::size_t queries, std::uint64_t seed)
{
	constexpr std::size_t kLatent = 48;
	constexpr std::size_t kFrames = 64;
	constexpr float kNoise = 0.35f;
	std::size_t clusters = std::max<std::size_t>(rows / 4000, 16);
	std::mt19937_64 random(seed);
	std::normal_distribution<float> normal;

	/* Frames: kLatent directions of length 1 each. A cluster uses one of them; centres are spread by frame 0. */
	std::vector<float> frames(kFrames * kLatent * dims);
	for (float &x : frames)
		x = normal(random) / std::sqrt(static_cast<float>(dims));
	auto add = [&](float *to, std::size_t frame, std::size_t direction, float amount) {
		const float *from = &frames[(frame * kLatent + direction) * dims];
		for (std::size_t j = 0; j < dims; j++)
			to[j] += amount * from[j];
	};
	std::vector<float> centres(clusters * dims), widths(clusters);
	for (std::size_t c = 0; c < clusters; c++)
	{
		for (std::size_t k = 0; k < kLatent; k++)
			add(&centres[c * dims], 0, k, 1.5f * normal(random));
		widths[c] = 0.6f + 0.8f * static_cast<float>(random() % 1024) / 1024;
	}
	std::vector<float> spread(kLatent);
	for (std::size_t k = 0; k < kLatent; k++)
		spread[k] = 1.6f / std::sqrt(1.0f + static_cast<float>(k) / 16);

	Dataset d;
	d.name = "synth-" + std::to_string(rows) + "x" + std::to_string(dims);
	d.distance = distance;
	d.base.rows = rows;
	d.queries.rows = queries;
	for (Matrix *m : {&d.base, &d.queries})
	{
		m->dims = dims;
		m->values.resize(m->rows * dims);
		std::uint64_t first_seed = random();
		std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
		std::vector<std::thread> workers;
		for (std::size_t t = 0; t < threads; t++)
			workers.emplace_back([&, t] {
				for (std::size_t i = t; i < m->rows; i += threads)
				{
					std::mt19937_64 mine(first_seed + i * 0x9E3779B97F4A7C15ull);
					std::normal_distribution<float> gauss;
					float u = std::uniform_real_distribution<float>()(mine);
					auto c = std::min(static_cast<std::size_t>(std::pow(u, 1.5f) * static_cast<float>(clusters)),
									  clusters - 1);
					float *row = m->row(i);
					for (std::size_t j = 0; j < dims; j++)
						row[j] = centres[c * dims + j] + kNoise / std::sqrt(static_cast<float>(dims)) * gauss(mine);
					for (std::size_t k = 0; k < kLatent; k++)
						add(row, 1 + c % (kFrames - 1), k, widths[c] * spread[k] * gauss(mine));
				}
			});
		for (std::thread &w : workers)
			w.join();
	}
	return d;
}

std::uint64_t
fingerprint(const Dataset &data)
{
	std::uint64_t h = data.base.rows * 31 + data.base.dims;
	for (const Matrix *m : {&data.base, &data.queries})
		for (float x : m->values)
		{
			std::uint32_t bits;
			memcpy(&bits, &x, 4);
			h = (h ^ bits) * 0x9E3779B97F4A7C15ull;
			h ^= h >> 29;
		}
	return h;
}

Dataset
load_dataset(const std::string &name, const std::string &path, std::size_t rows)
{
	Dataset d;
	std::size_t generated = 0, dims = 0;
	if (name == "fashion")
		d = load_fashion_mnist(path.empty() ? "/usr/share/datasets/fashion-mnist" : path);
	else if (name == "glove")
	{
		if (path.empty())
			throw std::runtime_error("data set glove needs its path: see bench/README.md");
		d = load_glove(path, 10000);
	}
	else if (name == "synth128")
		return make_synthetic(rows > 0 ? rows : 1000000, 128, Distance::l2, 1000, kSeed);
	else if (name == "synth768")
		return make_synthetic(rows > 0 ? rows : 200000, 768, Distance::cosine, 1000, kSeed);
	else if (sscanf(name.c_str(), "synth:%zux%zu", &generated, &dims) == 2 && generated > 0 && dims > 0)
		return make_synthetic(generated, dims,
							  name.find(":cosine") != std::string::npos ? Distance::cosine : Distance::l2, 1000, kSeed);
	else
		throw std::runtime_error("no data set \"" + name +
								 "\": fashion, glove, synth128, synth768 or synth:ROWSxDIMS[:cosine]");
	if (rows > 0 && rows < d.base.rows)
	{
		d.base.rows = rows;
		d.base.values.resize(rows * d.base.dims);
		d.base.values.shrink_to_fit();
		d.base_labels.resize(std::min(rows, d.base_labels.size()));
	}
	return d;
}

}  // namespace vecdb::client
