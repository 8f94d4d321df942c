-- The meaning of each condition, case by case as Qdrant has it: judged on the document and compiled over a table.
CREATE TABLE filter_doc (payload jsonb);
CREATE FUNCTION holds(doc jsonb, filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	compiled bool;
	judged bool := vecdb.matches(doc, filter);
BEGIN
	EXECUTE 'SELECT count(*) = 1 FROM (SELECT $1 AS payload) AS t WHERE ' || vecdb.filter_sql('filter_doc', filter) INTO compiled USING doc;
	RETURN CASE WHEN compiled = judged THEN judged::text ELSE format('compiled %s, judged %s', compiled, judged) END;
END $$;
-- One condition on field a of {"a": value}; a value of SQL NULL: no such field.
CREATE FUNCTION of_field(condition text, VARIADIC vals text[]) RETURNS TABLE (value text, answer text) LANGUAGE sql AS $$
	SELECT coalesce(v, '(missing)'), holds(CASE WHEN v IS NULL THEN '{}' ELSE jsonb_build_object('a', v::jsonb) END,
		jsonb_build_object('must', '{"key": "a"}'::jsonb || condition::jsonb)) FROM unnest(vals) AS v $$;
CREATE FUNCTION answers(condition text, VARIADIC vals text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(value, '  ' ORDER BY n) FILTER (WHERE answer = 'true') || coalesce('   WRONG: ' || string_agg(value || answer, ' ') FILTER (WHERE answer LIKE '%judged%'), '')
	FROM of_field(condition, VARIADIC vals) WITH ORDINALITY AS f(value, answer, n) $$;

-- The values for which a condition holds, of the same list for all.
SELECT condition, answers(condition, '2', '2.0', '2.5', '3', '-2', '"2"', '"x"', '"yx"', '"x y"', 'true', 'false', 'null', '[]', '[2]', '[[2]]', '[3,"x"]', '[null]',
		'[null,2]', '{}', '{"b":2}', '[{"b":2}]', '"2024-01-01"', '"2024-06-01T12:00:00+02:00"', '["2024-01-01T00:00:01Z","x"]', NULL) AS holds_for
	FROM unnest(ARRAY['{"match": {"value": 2}}', '{"match": {"value": 2.5}}', '{"match": {"value": "x"}}', '{"match": {"value": true}}',
	'{"match": {"any": []}}', '{"match": {"any": [2, "x", true]}}', '{"match": {"except": []}}', '{"match": {"except": [2]}}', '{"match": {"except": ["x", 2, "2024-01-01"]}}',
	'{"match": {"text": "x"}}', '{"match": {"text": ""}}', '{"match": {"text_any": "q y"}}', '{"match": {"text_any": ""}}', '{"match": {"phrase": "x y"}}', '{"match": {"phrase": ""}}',
	'{"match": {"prefix": "x"}}', '{"match": {"prefix": ""}}', '{"range": {"gt": 2}}', '{"range": {"gte": 2, "lt": 2.5}}', '{"range": {"lt": 0}}', '{"range": {}}', '{"range": {"gt": 3, "lt": 2}}',
	'{"range": {"gte": "2024-01-01"}}', '{"range": {"gt": "2024-01-01"}}', '{"range": {"lte": "2024-06-01T10:00Z"}}', '{"range": {"lt": "2024-06-01T10:00Z"}}',
	'{"values_count": {"gte": 2}}', '{"values_count": {"lt": 1}}', '{"values_count": {"gte": 1, "lte": 1}}', '{"values_count": {}}',
	'{"is_empty": true}', '{"is_empty": false}', '{"is_null": true}', '{"is_null": false}']) AS condition;

-- Clauses. An empty array says nothing, but of min_should.
SELECT f, holds('{"a": 1, "b": [1, 2], "c": null}', f::jsonb) FROM unnest(ARRAY[
	'{}', '{"must": [], "should": [], "must_not": []}', '{"must": {}}', '{"must_not": {}}', '{"should": [{"key": "a", "match": {"value": 2}}, {}]}',
	'{"should": [{"key": "a", "match": {"value": 2}}]}', '{"must_not": [{"key": "none", "match": {"value": 2}}]}', '{"must_not": [{"key": "c", "match": {"value": 2}}]}',
	'{"must_not": [{"must_not": [{"key": "none", "match": {"value": 2}}]}]}', '{"must": [{"key": "a", "match": {"value": 1}}], "must_not": [{"key": "b", "match": {"value": 2}}]}',
	'{"min_should": {"conditions": [], "min_count": 1}}', '{"min_should": {"conditions": [{"key": "a", "match": {"value": 1}}, {"key": "none", "range": {"gt": 2}}, {"key": "b", "match": {"value": 2}}], "min_count": 2}}',
	'{"min_should": {"conditions": [{"key": "a", "match": {"value": 1}}, {"key": "none", "range": {"gt": 2}}, {"key": "b", "match": {"value": 2}}], "min_count": 3}}',
	'{"min_should": {"conditions": [{"key": "a", "match": {"value": 1}}], "min_count": 2}}', '{"min_should": {"conditions": {"key": "a", "match": {"value": 1}}, "min_count": 1}}']) AS f;

-- Ways: a plain key does not look into arrays on its way. Quotes keep dots in a name. A condition per element is nested.
SELECT f, holds('{"a": {"b": [1, 2]}, "l": [{"x": 1, "y": 1}, {"x": 2, "y": [2, 3]}, 7, null], "a.b": 5, "o": {"x": 1, "y": 2}}', jsonb_build_object('must', f::jsonb)) FROM unnest(ARRAY[
	'{"key": "a.b", "match": {"value": 2}}', '{"key": "a.b[1]", "match": {"value": 2}}', '{"key": "a.b[2]", "match": {"value": 2}}', '{"key": "a.b[]", "match": {"value": 2}}', '{"key": "\"a.b\"", "match": {"value": 5}}',
	'{"key": "l.x", "match": {"value": 1}}', '{"key": "l[].x", "match": {"value": 1}}', '{"key": "l[].y", "match": {"value": 3}}', '{"key": "l[].y[]", "match": {"value": 3}}', '{"key": "l[1].x", "match": {"value": 1}}', '{"key": "l", "match": {"value": 7}}',
	'{"key": "a[]", "match": {"value": 5}}', '{"is_null": {"key": "l[]"}}', '{"is_null": {"key": "l"}}', '{"is_empty": {"key": "l[].z"}}', '{"key": "l[].y", "values_count": {"gte": 2}}', '{"key": "l[].z", "values_count": {"lt": 1}}',
	'[{"key": "l[].x", "match": {"value": 1}}, {"key": "l[].y", "match": {"value": 2}}]',
	'{"nested": {"key": "l", "filter": {"must": [{"key": "x", "match": {"value": 1}}, {"key": "y", "match": {"value": 2}}]}}}',
	'{"nested": {"key": "l", "filter": {"must": [{"key": "x", "match": {"value": 2}}, {"key": "y", "match": {"value": 2}}]}}}',
	'{"nested": {"key": "l[]", "filter": {"must": [{"key": "x", "match": {"value": 2}}], "must_not": [{"key": "y", "match": {"value": 1}}]}}}',
	'{"nested": {"key": "l", "filter": {"must_not": [{"key": "x", "range": {"gte": 1}}]}}}',
	'{"nested": {"key": "o", "filter": {"must": [{"key": "x", "match": {"value": 1}}]}}}',
	'{"nested": {"key": "l", "filter": {}}}', '{"nested": {"key": "none", "filter": {}}}',
	'{"nested": {"key": "l", "filter": {"must": {"has_id": [1]}}}}', '{"nested": {"key": "l", "filter": {"must_not": {"has_vector": "v"}}}}',
	'{"nested": {"key": "l", "filter": {"min_should": {"conditions": [{"key": "x", "match": {"value": 2}}, {"key": "y", "match": {"value": 3}}, {"key": "z", "match": {"value": 3}}], "min_count": 2}}}}',
	'{"nested": {"must": [{"key": "a.b", "match": {"value": 2}}, {"key": "o.x", "match": {"value": 1.0}}]}}']) AS f;

-- Places. A hundredth of a degree at the equator is 1111.95 m. Borders are outside; a hole is outside with its border.
SELECT vecdb.geo_distance(13.404954, 52.520008, 37.617298, 55.755825)::numeric(12, 3) AS berlin_moscow, vecdb.geo_distance(0, 0, 180, 0)::numeric(12, 3) AS half,
	vecdb.geo_distance(10, 20, 10, 20) AS none, vecdb.geo_distance(179.5, 0, -179.5, 0)::numeric(12, 3) AS across, vecdb.geo_distance(0, 91, 0, 0) AS nowhere;
SELECT answers(f, '{"lon": 0, "lat": 0}', '{"lon": 0.01, "lat": 0}', '{"lon": 5, "lat": 5}', '{"lon": 10, "lat": 5}', '{"lon": 20, "lat": 5}', '{"lon": 175, "lat": 1}', '{"lon": -175, "lat": 1}',
		'{"lon": 0, "lat": 99}', '{"lon": "0", "lat": 0}', '{"lat": 0}', '[{"lon": 99, "lat": 0}, {"lon": 0, "lat": 0}]', '3', 'null', NULL) AS holds_for
	FROM unnest(ARRAY['{"geo_radius": {"center": {"lon": 0, "lat": 0}, "radius": 1111.9}}', '{"geo_radius": {"center": {"lon": 0, "lat": 0}, "radius": 1112}}', '{"geo_radius": {"center": {"lon": 0, "lat": 0}, "radius": 0}}',
	'{"geo_radius": {"center": {"lon": 179, "lat": 0}, "radius": 700000}}',
	'{"geo_bounding_box": {"top_left": {"lon": 0, "lat": 10}, "bottom_right": {"lon": 10, "lat": -1}}}', '{"geo_bounding_box": {"top_left": {"lon": 170, "lat": 10}, "bottom_right": {"lon": -170, "lat": -1}}}',
	'{"geo_polygon": {"exterior": {"points": [{"lon": -1, "lat": -1}, {"lon": 10, "lat": -1}, {"lon": 10, "lat": 10}, {"lon": -1, "lat": 10}, {"lon": -1, "lat": -1}]}}}',
	'{"geo_polygon": {"exterior": {"points": [{"lon": -1, "lat": -1}, {"lon": 10, "lat": -1}, {"lon": 10, "lat": 10}, {"lon": -1, "lat": 10}, {"lon": -1, "lat": -1}]}, "interiors": [{"points": [{"lon": 0, "lat": 0}, {"lon": 4, "lat": 0}, {"lon": 4, "lat": 4}, {"lon": 0, "lat": 4}, {"lon": 0, "lat": 0}]}]}}']) AS f;
SELECT vecdb.geo_in_box(5, 5, 0, 10, 10, 0) AS inside, vecdb.geo_in_box(0, 5, 0, 10, 10, 0) AS border, vecdb.geo_in_box(-175, 5, 170, 10, -170, 0) AS across,
	vecdb.geo_in_polygon(1, 1, '((0,0),(4,0),(0,4))') AS triangle, vecdb.geo_in_polygon(2, 2, '((0,0),(4,0),(0,4))') AS edge,
	vecdb.geo_in_polygon(1, 1, '((0,0),(4,0),(0,4))', '{"((1,1),(2,1),(1,2))"}') AS hole;

-- Date-times.
SELECT v, vecdb.datetime(v::jsonb) AT TIME ZONE 'UTC' AS utc FROM unnest(ARRAY['"2024-02-29"', '"2023-02-29"', '"2024-01-31T12:30"', '"2024-01-31 12:30:45"', '"2024-01-31t12:30:45.1234567z"', '"2024-01-31T12:30:45+02"', '"2024-01-31T12:30:45-0330"', '"2024-01-31T12:30:45+05:45"',
	'"2024-01-31T24:00"', '"2016-12-31T23:59:60Z"', '"0001-01-01"', '"0000-01-01"', '"9999-12-31T23:59:59.999999Z"', '"2024-1-1"', '"2024-01-01T"', '"2024-01-01Z"', '"2024-01-01T10"', '"2024-01-01T10:00 Z"', '"now"', '"infinity"', '3', 'null', '{}']) AS v;
SELECT vecdb.datetime('["2024-01-01"]');
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German';
SELECT vecdb.matches('{"t": "2024-01-01"}', '{"must": {"key": "t", "range": {"gte": "2024-01-01T00:00Z", "lte": "2024-01-01T00:00:00+00:00"}}}');
RESET TimeZone; RESET DateStyle;

-- A judgement is of its own filter, though kept between rows.
SELECT n, vecdb.matches(jsonb_build_object('a', n), jsonb_build_object('must', jsonb_build_object('key', 'a', 'match', jsonb_build_object('value', n / 2 * 2)))) FROM generate_series(1, 5) AS n;
SELECT vecdb.matches(NULL, '{}') IS NULL AND vecdb.matches('{}', NULL) IS NULL AS strict;
SELECT provolatile, proisstrict, proparallel FROM pg_proc WHERE oid = 'vecdb.matches'::regproc;

DROP TABLE filter_doc;
DROP FUNCTION holds, of_field, answers;
