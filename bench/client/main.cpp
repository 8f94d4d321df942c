/* SPDX-License-Identifier: PostgreSQL
 * Client program of tools/quickstart and bench/run.
 *
 * Regime: client program.
 */
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "commands.hpp"

namespace vecdb::client
{

Options::Options(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
	{
		std::string argument = argv[i];
		std::size_t equals = argument.find('=');
		if (argument.compare(0, 2, "--") != 0 || equals == std::string::npos)
			throw std::runtime_error("not of the form --name=value: " + argument);
		values_[argument.substr(2, equals - 2)] = argument.substr(equals + 1);
	}
}

std::string
Options::get(const std::string &name, const std::string &otherwise) const
{
	auto found = values_.find(name);
	return found == values_.end() ? otherwise : found->second;
}

double
Options::number(const std::string &name, double otherwise) const
{
	auto found = values_.find(name);
	return found == values_.end() ? otherwise : std::stod(found->second);
}

std::vector<std::string>
Options::list(const std::string &name, const std::string &otherwise) const
{
	std::string rest = get(name, otherwise);
	std::vector<std::string> items;
	while (!rest.empty())
	{
		std::size_t comma = rest.find(',');
		items.push_back(rest.substr(0, comma));
		rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
	}
	return items;
}

namespace
{

struct Command
{
	const char *name;
	int (*run)(const Options &options);
};

constexpr Command kCommands[] = {{"quickstart", quickstart}, {"describe", describe}, {"compare", compare},
								 {"costs", costs},           {"types", types},       {"inserts", inserts},
								 {"copying", copying},       {"churn", churn},       {"drift", drift},
								 {"quantizers", quantizers}, {"disk", disk},         {"api", api},
								 {"report", report}};

}  // namespace

}  // namespace vecdb::client

int
main(int argc, char **argv)
{
	using namespace vecdb::client;
	try
	{
		if (argc >= 2)
		{
			Options options(argc - 2, argv + 2);
			for (const Command &command : kCommands)
				if (strcmp(argv[1], command.name) == 0)
					return command.run(options);
		}
		fprintf(stderr, "usage: client COMMAND [--name=value ...], COMMAND one of");
		for (const Command &command : kCommands)
			fprintf(stderr, " %s", command.name);
		fprintf(stderr, "\n");
		return 2;
	}
	catch (const std::exception &e)
	{
		fprintf(stderr, "client: %s\n", e.what());
		return 1;
	}
}
