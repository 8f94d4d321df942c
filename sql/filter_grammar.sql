-- What is not in the grammar is refused by name and place; limits hold; hostile JSON stays inert.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
CREATE FUNCTION refused(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	PERFORM vecdb.matches('{}', filter::jsonb);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Each with its reason, and the path of the bad node.
SELECT f AS filter, refused(f) FROM (VALUES
	('[]'), ('3'), ('"x"'), ('null'), ('{}'), ('{"must": null, "should": []}'),
	('{"musst": []}'),
	('{"must": 3}'), ('{"must": [3]}'), ('{"must": [[]]}'),
	('{"must": [{"key": "a", "match": {"value": 1}}, {}, {"key": "a", "range": {"gtx": 1}}]}'),
	('{"must": {"key": "a"}}'),
	('{"must": {"key": "a", "match": null}}'),
	('{"must": {"key": "a", "match": {}}}'),
	('{"must": {"key": "a", "match": {"keyword": "x"}}}'),
	('{"must": {"key": "a", "match": {"value": 1, "any": [1]}}}'),
	('{"must": {"key": "a", "match": {"value": null}}}'),
	('{"must": {"key": "a", "match": {"value": [1]}}}'),
	('{"must": {"key": "a", "match": {"any": 1}}}'),
	('{"must": {"key": "a", "match": {"any": [1, {"x": 1}]}}}'),
	('{"must": {"key": "a", "match": {"text": 1}}}'),
	('{"must": {"key": "a", "match": {"value": "x", "config": "english"}}}'),
	('{"must": {"key": "a", "match": {"text": "x", "config": "english"}}}'),
	('{"must": {"key": "a", "match": {"value": 1}, "range": {"gt": 0}}}'),
	('{"must": {"key": "a", "is_empty": "yes"}}'),
	('{"must": {"key": 1, "match": {"value": 1}}}'),
	('{"must": {"key": "", "match": {"value": 1}}}'),
	('{"must": {"key": "a..b", "match": {"value": 1}}}'),
	('{"must": {"key": "a[", "match": {"value": 1}}}'),
	('{"must": {"key": "a[-1]", "match": {"value": 1}}}'),
	('{"must": {"key": "a[99999999999]", "match": {"value": 1}}}'),
	('{"must": {"key": "\"a", "match": {"value": 1}}}'),
	('{"must": {"key": "[0]", "match": {"value": 1}}}'),
	('{"must": {"key": "a", "range": {"gt": "yesterday"}}}'),
	('{"must": {"key": "a", "range": {"gt": "2024-02-30"}}}'),
	('{"must": {"key": "a", "range": {"gt": "2024-01-01", "lt": 3}}}'),
	('{"must": {"key": "a", "range": {"gt": true}}}'),
	('{"must": {"key": "a", "values_count": {"gt": 1.5}}}'),
	('{"must": {"key": "a", "values_count": {"gt": -1}}}'),
	('{"must": {"key": "a", "geo_radius": {"center": {"lon": 0, "lat": 0}}}}'),
	('{"must": {"key": "a", "geo_radius": {"center": {"lon": 0, "lat": 91}, "radius": 1}}}'),
	('{"must": {"key": "a", "geo_radius": {"center": {"lon": 0, "lat": 1, "alt": 3}, "radius": 1}}}'),
	('{"must": {"key": "a", "geo_bounding_box": {"top_left": {"lon": 0, "lat": 1}}}}'),
	('{"must": {"key": "a", "geo_polygon": {"exterior": {"points": [{"lon": 0, "lat": 1}]}}}}'),
	('{"must": {"key": "a", "geo_polygon": {"exterior": {"points": [{"lon": 0, "lat": 1}, {"lon": 1, "lat": 1}, {"lon": 1, "lat": 0}, {"lon": 0, "lat": 0}]}}}}'),
	('{"must": {"is_empty": "a"}}'), ('{"must": {"is_empty": {}}}'), ('{"must": {"is_null": {"key": "a", "x": 1}}}'),
	('{"must": {"is_null": {"key": "a"}, "x": 1}}'),
	('{"must": {"has_id": 3}}'), ('{"must": {"has_id": [3]}}'), ('{"must": {"has_vector": "v"}}'), ('{"must": {"has_vector": 1}}'),
	('{"must": {"nested": {"key": "a"}}}'), ('{"must": {"nested": {"key": "a", "filter": {}, "x": 1}}}'),
	('{"must": {"nested": {"key": "a", "filter": {"must": [{"key": "b", "matsch": 1}]}}}}'),
	('{"must": {"nested": {"must": {"key": "b", "match": {"value": 1.5}}}}}'),
	('{"must": {"slice": {"total": 0, "index": 0}}}'), ('{"must": {"slice": {"total": 2, "index": 2}}}'), ('{"must": {"slice": {"total": 2}}}'),
	('{"min_should": {"conditions": []}}'), ('{"min_should": {"min_count": 1}}'), ('{"min_should": {"conditions": [], "min_count": 1}}'),
	('{"min_should": {"conditions": [], "min_count": 0}}')
) AS v(f);

-- Limits.
SELECT refused(repeat('{"must":', 64) || '{}' || repeat('}', 64));
SELECT refused(repeat('{"must":', 63) || '{}' || repeat('}', 63));
SELECT left(refused(repeat('[', 100000) || repeat(']', 100000)), 5) AS state;
SELECT left(refused(repeat('{"must":', 100000) || '{}' || repeat('}', 100000)), 5) AS state;
SELECT refused('{"must": [' || repeat('{"is_null": {"key": "a"}},', 10000) || '{}]}');
SELECT refused('{"must": {"key": "a", "match": {"any": [' || repeat('1,', 100000) || '1]}}}');
SELECT refused('{"must": {"key": "' || repeat('k', 1000000) || '", "match": {"value": 1}}}');
SELECT refused('{"' || repeat('k', 1000000) || '": 1}');
SELECT refused('{"must": {"key": "a' || repeat('.a', 64) || '", "match": {"value": 1}}}');
SELECT refused('{"must": {"key": "a", "match": {"value": "\u0000"}}}');

-- As much as the limits allow works, compiled and judged.
CREATE TABLE filter_grammar (id int PRIMARY KEY, payload jsonb);
INSERT INTO filter_grammar VALUES (1, '{"a": 77777}'), (2, '{"a": 1e400}'), (3, '{"a": -1}');
CREATE FUNCTION selected(filter jsonb) RETURNS TABLE (compiled int[], judged int[]) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT array_agg(id ORDER BY id) FROM filter_grammar AS t WHERE ' || vecdb.filter_sql('filter_grammar', filter) INTO compiled;
	SELECT array_agg(g.id ORDER BY g.id) INTO judged FROM filter_grammar AS g WHERE vecdb.matches(g.payload, filter);
	RETURN NEXT;
END $$;
SELECT * FROM selected((SELECT jsonb_build_object('must', jsonb_build_object('key', 'a', 'match', jsonb_build_object('any', jsonb_agg(i)))) FROM generate_series(1, 100000) AS i));
SELECT * FROM selected((SELECT jsonb_build_object('must', jsonb_build_object('key', 'a', 'match', jsonb_build_object('except', jsonb_agg(i)))) FROM generate_series(77600, 77999) AS i));
SELECT * FROM selected((SELECT jsonb_build_object('should', jsonb_agg(jsonb_build_object('key', 'a', 'range', jsonb_build_object('gte', i, 'lte', i)))) FROM generate_series(77000, 78999) AS i));
SELECT * FROM selected((repeat('{"must_not":', 62) || '{"key": "a", "range": {"gt": 5}}' || repeat('}', 62))::jsonb);
SELECT * FROM selected((repeat('{"must_not": {"nested": {"key": "x", "filter": ', 30) || '{"must": {"key": "a", "range": {"gt": 5}}}' || repeat('}}}', 30))::jsonb);
SELECT * FROM selected((SELECT jsonb_build_object('min_should', jsonb_build_object('min_count', 2, 'conditions', jsonb_agg(jsonb_build_object('key', 'a', 'range', jsonb_build_object('gte', i / 2, 'lte', i / 2))))) FROM generate_series(77777 * 2 - 5000, 77777 * 2 + 1) AS i));
SELECT * FROM selected((SELECT jsonb_build_object('must_not', jsonb_build_object('nested', jsonb_build_object('key', 'x', 'filter', jsonb_build_object('should', jsonb_agg(jsonb_build_object('key', 'a', 'match', jsonb_build_object('value', i))))))) FROM generate_series(1, 9000) AS i));
SELECT * FROM selected('{"must": {"key": "a", "range": {"gt": 1e399}}}');
SELECT * FROM selected('{"must": {"key": "a", "match": {"value": 1e400}}}');
SELECT * FROM selected('{"must": {"key": "a", "range": {"lt": -0.5, "gt": -1e400}}}');

-- Keys and values that would be something in jsonpath, SQL or LIKE are themselves.
CREATE FUNCTION inert(k text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	doc jsonb := jsonb_build_object(k, k);
	path text := CASE WHEN k ~ '"' THEN k ELSE '"' || k || '"' END;
	found boolean;
	filter jsonb;
BEGIN
	FOR filter IN SELECT jsonb_build_object('must', jsonb_build_object('key', path, 'match', jsonb_build_object(m, v)))
			FROM (VALUES ('value', to_jsonb(k)), ('any', jsonb_build_array(k, 1)), ('text', to_jsonb(k)), ('phrase', to_jsonb(k)), ('prefix', to_jsonb(k)), ('text_any', to_jsonb(k))) AS m(m, v) LOOP
		EXECUTE 'SELECT bool_and(' || vecdb.filter_sql('filter_grammar', filter) || ') FROM (SELECT $1 AS payload) AS t' INTO found USING doc;
		IF found IS NOT TRUE OR NOT vecdb.matches(doc, filter) THEN RETURN false; END IF;
		EXECUTE 'SELECT bool_and(' || vecdb.filter_sql('filter_grammar', filter) || ') FROM (SELECT $1 AS payload) AS t' INTO found USING jsonb_build_object(k, 'x', 'x', k);
		IF found IS TRUE OR vecdb.matches(jsonb_build_object(k, 'q', 'x', k), filter) THEN RETURN false; END IF;
	END LOOP;
	RETURN true;
END $$;
SELECT k, inert(k) FROM unnest(ARRAY['$', '@', '*', 'a.b', 'a[0]', 'a[]', ''';--', '\', E'a\nb', E'\t\u0001', '%_', 'a) || (true', '$1', 'é ü', '🙂', '/* */', 'x\" || true || @ == \"', '{}', E'\\u0041', 'a''b', '.*', '(', '$varname', 'last', 'true']) AS k;
-- Bare names take all but . [ ]
SELECT * FROM vecdb.matches('{"we.ird": {"b": 1}, "$": 2, "a b-c": [3]}', '{"must": [{"key": "\"we.ird\".b", "match": {"value": 1}}, {"key": "$", "match": {"value": 2}}, {"key": "a b-c[0]", "match": {"value": 3}}]}');

DROP TABLE filter_grammar;
DROP FUNCTION refused, selected, inert;
