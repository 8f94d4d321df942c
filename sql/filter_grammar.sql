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

-- Filters with something wrong somewhere: refused by both alike, or taken by both with the same answer; never another error.
CREATE FUNCTION state_of(statement text, filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE statement INTO answer USING filter;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION mutants(n int) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	good text[] := ARRAY['{"must": [{"key": "a", "match": {"any": [1, "x", true]}}, {"key": "a.b", "range": {"gt": 1, "lte": 2.5}}]}',
		'{"should": {"key": "a[].b", "match": {"text": "x"}}, "must_not": [{"is_empty": {"key": "a"}}, {"key": "a", "is_null": true}]}',
		'{"min_should": {"conditions": [{"key": "a", "values_count": {"gte": 1}}, {"nested": {"key": "a", "filter": {"must": {"key": "b", "match": {"except": [1]}}}}}], "min_count": 1}}',
		'{"must": {"key": "a", "geo_radius": {"center": {"lon": 1, "lat": 2}, "radius": 3}}}', '{"must": {"key": "a", "range": {"gte": "2024-01-01T00:00:00Z"}}}',
		'{"must": {"key": "a", "geo_polygon": {"exterior": {"points": [{"lon": 0, "lat": 0}, {"lon": 1, "lat": 0}, {"lon": 1, "lat": 1}, {"lon": 0, "lat": 0}]}, "interiors": []}}}'];
	bits text[] := ARRAY['null', '[]', '{}', '""', '-1', '1e400', '"must"', '"key"', '"a"', '"x\\u0001"', 'true', '[[1]]', '{"key": "a"}', '{"must": []}', '"2024"', '0.5', '"a[0]"', '"["'];
	tokens text[];
	m text;
	at int;
BEGIN
	FOR i IN 1..n LOOP
		SELECT array_agg(t[1]) INTO tokens FROM regexp_matches(good[1 + floor(random() * 6)::int], '"[^"]*"|[-0-9.e]+|true|null|[][{},:]', 'g') AS t;
		FOR change IN 1..1 + floor(random() * 2)::int LOOP
			at := 1 + floor(random() * cardinality(tokens))::int;
			IF random() < 0.8 THEN
				tokens[at] := CASE WHEN tokens[at] ~ '^[][{},:]' THEN tokens[at] ELSE bits[1 + floor(random() * cardinality(bits))::int] END;
			ELSE
				tokens := tokens[:at - 1] || tokens[at + 1 + floor(random() * 3)::int:];
			END IF;
		END LOOP;
		m := array_to_string(tokens, ' ');
		BEGIN
			RETURN NEXT m::jsonb;
		EXCEPTION WHEN invalid_text_representation THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT setseed(0.7);
CREATE TEMP TABLE filter_mutants AS SELECT m, state_of('SELECT vecdb.matches(''{"a": [{"b": 2}, 1]}'', $1)', m) AS judged,
	state_of('SELECT vecdb.filter_sql(''filter_grammar'', $1)', m) AS compiled FROM mutants(1500) AS m;
SELECT count(*) > 300 AS enough, count(*) FILTER (WHERE judged = '22023') > 100 AS refused, count(*) FILTER (WHERE judged IN ('true', 'false')) > 30 AS taken FROM filter_mutants;
SELECT m, judged, compiled FROM filter_mutants WHERE judged NOT IN ('true', 'false', '22023') OR (judged = '22023') <> (compiled = '22023') ORDER BY m LIMIT 5;
SELECT m FROM filter_mutants WHERE judged IN ('true', 'false') AND
	state_of('SELECT count(*) = 1 FROM (SELECT ''{"a": [{"b": 2}, 1]}''::jsonb AS payload) AS t WHERE ' || compiled, m) IS DISTINCT FROM judged ORDER BY m LIMIT 5;

DROP TABLE filter_grammar, filter_mutants;
DROP FUNCTION state_of, mutants, refused, selected, inert;
