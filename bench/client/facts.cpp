/* SPDX-License-Identifier: PostgreSQL
 * Figures by name: see facts.hpp.
 *
 * Regime: client program.
 */
#include "facts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

namespace vecdb::client
{

namespace
{

void
append(const std::string &path, const Fact &f)
{
	char value[40];
	snprintf(value, sizeof value, "%.6g", f.value);
	std::ofstream(path, std::ios::app) << f.part << ',' << f.set << ',' << f.target << ',' << f.figure << ',' << value
									   << ',' << f.relation << '\n';
}

void
print_value(double v)
{
	printf(" %14.*f", v != 0 && std::fabs(v) < 10 ? 4 : v < 1000 ? 1 : 0, v);
}

}  // namespace

Facts::Facts(const Options &options, std::string part, std::string set)
	: part_(std::move(part)), set_(std::move(set)), path_(options.get("facts", "")), cache_(options.get("cache", "")),
	  keep_(options.get("keep", "none") != "none")
{
	for (const char *name : {"rows", "history-rows", "rounds", "m", "ef-construction"})
		circumstances_ += "-" + options.get(name, "");
}

void
Facts::add(const std::string &target, const std::string &figure, double value, char relation)
{
	facts_.push_back({part_, set_, target, figure, value, relation});
	if (!path_.empty())
		append(path_, facts_.back());
}

void
Facts::add_build(const std::string &target, const IndexBuild &b, const std::string &prefix)
{
	char relation = b.kept ? 'k' : '=';
	add(target, prefix + "_seconds", b.seconds, relation);
	add(target, prefix + "_cpu", b.cpu, relation);
	add(target, prefix + "_memory_mb", b.memory_mb, relation);
	add(target, prefix + "_index_mb", b.index_mb, relation);
}

std::string
Facts::kept_path(const Target &target) const
{
	return cache_ + "/" + part_ + "-" + set_ + "-" + target.name + circumstances_ + ".facts";
}

void
Facts::measure(const Target &target, const std::function<void()> &measure)
{
	bool may_keep = target.peer() && !cache_.empty();
	if (may_keep && keep_)
	{
		std::vector<Fact> known = kept(target);
		for (const Fact &f : known)
			add(target.name, f.figure, f.value, 'k');
		if (!known.empty())
		{
			printf("  %s: as measured in an earlier run\n", target.name.c_str());
			return;
		}
	}
	measure();
	keep(target);
}

void
Facts::keep(const Target &target) const
{
	if (!target.peer() || cache_.empty())
		return;
	remove(kept_path(target).c_str());
	for (const Fact &f : facts_)
		if (f.target == target.name)
			append(kept_path(target), f);
}

std::vector<Fact>
Facts::kept(const Target &target) const
{
	return cache_.empty() ? std::vector<Fact>{} : read_facts(kept_path(target));
}

void
Facts::print() const
{
	std::vector<std::string> figures, targets;
	for (const Fact &f : facts_)
	{
		if (std::find(figures.begin(), figures.end(), f.figure) == figures.end())
			figures.push_back(f.figure);
		if (std::find(targets.begin(), targets.end(), f.target) == targets.end())
			targets.push_back(f.target);
	}
	printf("\n  %-34s", "");
	for (const std::string &t : targets)
		printf(" %14s", t.c_str());
	printf("\n");
	for (const std::string &figure : figures)
	{
		printf("  %-34s", figure.c_str());
		for (const std::string &t : targets)
		{
			auto f = std::find_if(facts_.begin(), facts_.end(),
								  [&](const Fact &x) { return x.figure == figure && x.target == t; });
			if (f == facts_.end())
				printf(" %14s", "-");
			else
				print_value(f->value);
		}
		printf("\n");
	}
	fflush(stdout);
}

std::vector<Fact>
read_facts(const std::string &path)
{
	std::vector<Fact> facts;
	std::ifstream file(path);
	for (std::string line; std::getline(file, line);)
	{
		std::istringstream fields(line);
		Fact f;
		std::string value, relation;
		if (std::getline(fields, f.part, ',') && std::getline(fields, f.set, ',') &&
			std::getline(fields, f.target, ',') && std::getline(fields, f.figure, ',') &&
			std::getline(fields, value, ',') && std::getline(fields, relation) && !relation.empty() && f.part != "part")
		{
			f.value = std::stod(value);
			f.relation = relation[0];
			facts.push_back(f);
		}
	}
	return facts;
}

}  // namespace vecdb::client
