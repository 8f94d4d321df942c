/* SPDX-License-Identifier: PostgreSQL
 * Regime: core.
 */
#include "vecdb/query/geo.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace vecdb::core::query
{

static constexpr double kRadian = std::numbers::pi / 180;

bool
is_place(GeoPoint p) noexcept
{
	return p.lon >= -180 && p.lon <= 180 && p.lat >= -90 && p.lat <= 90;
}

double
geo_distance(GeoPoint a, GeoPoint b) noexcept
{
	double s = std::sin((b.lat - a.lat) * kRadian / 2), t = std::sin((b.lon - a.lon) * kRadian / 2);
	double h = s * s + std::cos(a.lat * kRadian) * std::cos(b.lat * kRadian) * t * t;
	return 2 * kEarthRadius * std::asin(std::min(1.0, std::sqrt(h)));
}

bool
in_box(GeoPoint p, GeoPoint top_left, GeoPoint bottom_right) noexcept
{
	bool across = top_left.lon > bottom_right.lon;
	bool longitude = across ? p.lon > top_left.lon || p.lon < bottom_right.lon
							: p.lon > top_left.lon && p.lon < bottom_right.lon;
	return longitude && p.lat > bottom_right.lat && p.lat < top_left.lat;
}

static double
cross(GeoPoint a, GeoPoint b, GeoPoint p) noexcept
{
	return (b.lon - a.lon) * (p.lat - a.lat) - (b.lat - a.lat) * (p.lon - a.lon);
}

bool
on_ring(GeoPoint p, std::span<const GeoPoint> ring) noexcept
{
	for (std::size_t i = 0; i < ring.size(); i++)
	{
		GeoPoint a = ring[i], b = ring[(i + 1) % ring.size()];
		if (cross(a, b, p) == 0 && p.lon >= std::min(a.lon, b.lon) && p.lon <= std::max(a.lon, b.lon) &&
			p.lat >= std::min(a.lat, b.lat) && p.lat <= std::max(a.lat, b.lat))
			return true;
	}
	return false;
}

/* Counts the edges that a ray to the east crosses. */
bool
in_ring(GeoPoint p, std::span<const GeoPoint> ring) noexcept
{
	if (on_ring(p, ring))
		return false;
	bool inside = false;
	for (std::size_t i = 0; i < ring.size(); i++)
	{
		GeoPoint a = ring[i], b = ring[(i + 1) % ring.size()];
		if ((a.lat > p.lat) != (b.lat > p.lat))
			inside ^= (cross(a, b, p) > 0) == (b.lat > a.lat);
	}
	return inside;
}

bool
box_around(GeoPoint center, double metres, GeoPoint &low, GeoPoint &high) noexcept
{
	/* A little more than enough, for the rounding of geo_distance. */
	double angle = metres / kEarthRadius * (1 + 1e-9) + 1e-12, lat = center.lat * kRadian;
	double turn = angle / kRadian;
	low = GeoPoint{-180, std::max(-90.0, center.lat - turn)};
	high = GeoPoint{180, std::min(90.0, center.lat + turn)};
	if (!(angle < std::numbers::pi / 2) || center.lat - turn <= -90 || center.lat + turn >= 90)
		return false;
	double width = std::asin(std::min(1.0, std::sin(angle) / std::cos(lat))) / kRadian * (1 + 1e-9) + 1e-9;
	if (center.lon - width < -180 || center.lon + width > 180)
		return false;
	low.lon = center.lon - width;
	high.lon = center.lon + width;
	return true;
}

}  // namespace vecdb::core::query
