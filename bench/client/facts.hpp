/* SPDX-License-Identifier: PostgreSQL
 * Figures by name: what each part of the comparison leaves for the table at the end.
 *
 * Regime: client program.
 */
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "target.hpp"

namespace vecdb::client
{

struct Fact
{
	std::string part;
	std::string set;
	std::string target;
	std::string figure;
	double value = 0;
	/* '=': as it says; '>': at more than the recall in its name, since the least ef_search finds more already; 'k': kept from an
	 * earlier run. */
	char relation = '=';
};

/* The facts of one part on one set. Appended to the file of --facts. */
class Facts
{
public:
	Facts(const Options &options, std::string part, std::string set);

	void add(const std::string &target, const std::string &figure, double value, char relation = '=');
	void add_build(const std::string &target, const IndexBuild &build, const std::string &prefix = "build");

	/* What this part can do target by target: calls measure, or, for a peer under --keep, takes what it once measured, from
	 * directory --cache. */
	void measure(const Target &target, const std::function<void()> &measure);

	/* Keeps what was measured of a peer for other runs. */
	void keep(const Target &target) const;
	std::vector<Fact> kept(const Target &target) const;

	/* A line for each figure, a column for each target. */
	void print() const;

private:
	std::string kept_path(const Target &target) const;

	std::string part_;
	std::string set_;
	std::string path_;
	std::string cache_;
	std::string circumstances_;  // without which a kept figure means nothing
	bool keep_;
	std::vector<Fact> facts_;
};

std::vector<Fact> read_facts(const std::string &path);

}  // namespace vecdb::client
