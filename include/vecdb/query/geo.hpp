/* SPDX-License-Identifier: PostgreSQL
 * Places on the sphere: distance, boxes, polygons, by the rules of Qdrant.
 *
 * Regime: core.
 * Degrees; boxes and polygons are plane figures over longitude and latitude. A border is outside.
 */
#pragma once

#include <span>

namespace vecdb::core::query
{

/* Metres: the mean radius (2a + b) / 3 of GRS 80. */
inline constexpr double kEarthRadius = 6371008.8;

struct GeoPoint
{
	double lon, lat;
};

/* -180 <= lon <= 180, -90 <= lat <= 90. */
bool is_place(GeoPoint p) noexcept;

/* Metres along the great circle (haversine). */
double geo_distance(GeoPoint a, GeoPoint b) noexcept;

/* Crosses the antimeridian where left > right. */
bool in_box(GeoPoint p, GeoPoint top_left, GeoPoint bottom_right) noexcept;

/* Strictly inside a ring of at least 3 points; the last may repeat the first. */
bool in_ring(GeoPoint p, std::span<const GeoPoint> ring) noexcept;

bool on_ring(GeoPoint p, std::span<const GeoPoint> ring) noexcept;

/* All places nearer than `metres` lie in it. It may reach beyond +-180: false, then it says nothing about longitude. */
bool box_around(GeoPoint center, double metres, GeoPoint &low, GeoPoint &high) noexcept;

}  // namespace vecdb::core::query
