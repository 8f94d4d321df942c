/* SPDX-License-Identifier: PostgreSQL
 * faiss in this process: see faiss_yardstick.hpp.
 *
 * Regime: client program.
 * The library as Debian ships it, compiled for SSE2 alone, with whatever BLAS is installed. Training and adding use its OpenMP threads;
 * a search is one thread's.
 */
#include "faiss_yardstick.hpp"

#if defined(VECDB_CLIENT_FAISS)

#include <omp.h>
#include <sys/stat.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <faiss/IndexIVF.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#pragma GCC diagnostic pop

namespace vecdb::client
{

namespace
{

class FaissYardstick final : public Yardstick
{
public:
	FaissYardstick(const Dataset &data, const std::string &factory, float refine, unsigned threads,
				   const std::string &cache)
	{
		auto all = [&](const Matrix &m) {
			Matrix n;
			n.rows = m.rows;
			n.dims = m.dims;
			n.values.reserve(m.values.size());
			for (std::size_t i = 0; i < m.rows; i++)
			{
				std::vector<float> v = prepared(m.row(i), m.dims, m.dims, data.distance);
				n.values.insert(n.values.end(), v.begin(), v.end());
			}
			return n;
		};
		queries_ = all(data.queries);
		char name[120];
		std::string kind = factory;
		for (char &c : kind)
			c = c == ',' ? '_' : c;
		snprintf(name, sizeof name, "/%s-%016llx-%s-%u", data.name.c_str(),
				 static_cast<unsigned long long>(fingerprint(data)), kind.c_str(), threads);
		std::string path = cache.empty() ? "" : cache + name + ".faiss";
		if (!path.empty() && std::ifstream(path + ".cost") >> seconds_ >> cpu_ >> megabytes_)
		{
			index_.reset(faiss::read_index(path.c_str()));
			kept_ = true;
		}
		else
		{
			Matrix base = all(data.base);
			auto rows = static_cast<faiss::Index::idx_t>(base.rows);
			omp_set_num_threads(static_cast<int>(threads));
			double start = now_seconds(), cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
			index_.reset(
				faiss::index_factory(static_cast<int>(base.dims), factory.c_str(),
									 data.distance == Distance::l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT));
			/* As the library says of angles; the factory leaves it at that of its metric. */
			if (auto *ivf = dynamic_cast<faiss::IndexIVF *>(inner()))
				ivf->cp.spherical = data.distance == Distance::cosine;
			index_->train(rows, base.values.data());
			index_->add(rows, base.values.data());
			seconds_ = now_seconds() - start;
			cpu_ = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
			std::string file = path.empty() ? "/tmp/vecdb-faiss-" + std::to_string(getpid()) : path;
			faiss::write_index(index_.get(), file.c_str());
			struct stat s;
			megabytes_ = stat(file.c_str(), &s) == 0 ? static_cast<double>(s.st_size) / 1e6 : 0;
			if (path.empty())
				remove(file.c_str());
			else
				std::ofstream(path + ".cost") << seconds_ << ' ' << cpu_ << ' ' << megabytes_ << '\n';
		}
		if (auto *refining = dynamic_cast<faiss::IndexRefine *>(index_.get()))
			refining->k_factor = refine;
		ivf_ = dynamic_cast<faiss::IndexIVF *>(inner());
		if (ivf_ == nullptr)
			throw std::runtime_error("no IVF: " + factory);
	}

	void
	set_effort(std::size_t effort) override
	{
		ivf_->nprobe = effort;
	}

	std::vector<std::int32_t>
	search(std::size_t query, std::size_t k) const override
	{
		omp_set_num_threads(1);
		std::vector<float> distances(k);
		std::vector<faiss::Index::idx_t> found(k);
		index_->search(1, queries_.row(query), static_cast<faiss::Index::idx_t>(k), distances.data(), found.data());
		return {found.begin(), found.end()};
	}

	double
	megabytes() const override
	{
		return megabytes_;
	}

private:
	/* Without what is wrapped around it. */
	faiss::Index *
	inner() const
	{
		faiss::Index *index = index_.get();
		if (auto *refining = dynamic_cast<faiss::IndexRefine *>(index))
			index = refining->base_index;
		if (auto *transforming = dynamic_cast<faiss::IndexPreTransform *>(index))
			index = transforming->index;
		return index;
	}

	Matrix queries_;
	std::unique_ptr<faiss::Index> index_;
	faiss::IndexIVF *ivf_ = nullptr;
	double megabytes_ = 0;
};

}  // namespace

std::unique_ptr<Yardstick>
make_faiss_yardstick(const Dataset &data, const std::string &factory, float refine, unsigned threads,
					 const std::string &cache)
{
	return std::make_unique<FaissYardstick>(data, factory, refine, threads, cache);
}

}  // namespace vecdb::client

#else

namespace vecdb::client
{

std::unique_ptr<Yardstick>
make_faiss_yardstick(const Dataset &, const std::string &, float, unsigned, const std::string &)
{
	return nullptr;
}

}  // namespace vecdb::client

#endif
