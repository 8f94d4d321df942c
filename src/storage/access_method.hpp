/* SPDX-License-Identifier: PostgreSQL
 * What our access methods have in common: what they tell the server that they can do, and their operator classes.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include "vecdb/distance/metric.hpp"
#include "vecdb/layout/hnsw_page.hpp"

namespace vecdb::storage
{

/* What an operator class tells the access method: the value of its support function of kind info. */
struct OpclassInfo
{
	uint8 metric;        // core::distance::Metric
	uint8 element_type;  // core::layout::ElementType
};

/* Strategies of operator classes: what an ORDER BY key's sk_strategy says its argument is. */
constexpr StrategyNumber kDistanceStrategy = 1;  // distance to a value of the indexed type
constexpr StrategyNumber kQueryStrategy = 2;     // <*>: minus the score for a vecdb.query; not of bit strings

/* Of an ordering operator in a family; 0 where it is none there. */
StrategyNumber order_strategy(Oid operator_oid, Oid family);

/* Kinds of support functions. */
enum class Support : uint8
{
	distance,  // float8 of two values
	norm,      // float8 of one
	info,      // OpclassInfo
};

/* A routine without the methods: an index of one column that is scanned in order of distance. */
IndexAmRoutine *ordering_routine(uint16 supports);

/*
 * amvalidate. kinds[i] is what support function i + 1 must be; a class must have the first one, that of kind info, and an
 * operator that orders.
 */
bool validate_opclass(Oid opclass, const Support *kinds, uint16 supports);

/* 0A000 where the class of the index has no such function. */
const OpclassInfo *opclass_info(Relation index, uint16 support, const char *method);

Datum opclass_info_value(core::distance::Metric metric, core::layout::ElementType type);

}  // namespace vecdb::storage

/* The support function of kind info of one operator class. */
#define VECDB_OPCLASS_INFO(name, metric, type) \
	VECDB_FUNCTION(name) \
	{ \
		(void) fcinfo; \
		return vecdb::storage::opclass_info_value(vecdb::core::distance::Metric::metric, \
												  vecdb::core::layout::ElementType::type); \
	} \
	static_assert(true)
