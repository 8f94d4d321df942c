-- Every operator with operands of every two types: what it takes them for. Implicit casts must leave no call undecided
-- ("is not unique", 42725) that had one meaning before; a combination that has none is refused (42883). 22P02: the literal
-- is taken for a sparsevec or an array, which it does not fit.
CREATE TEMP TABLE operand (position int, type text, value text);
INSERT INTO operand VALUES (1, 'vector', '''[1,2]''::vector'), (2, 'halfvec', '''[1,2]''::halfvec'), (3, 'int8vec', '''[1,2]''::int8vec'), (4, 'sparsevec', '''{1:1,2:2}/2''::sparsevec'),
    (5, 'unknown', '''[1,2]'''), (6, 'real[]', '''{1,2}''::real[]');
CREATE FUNCTION pg_temp.result(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    type text;
BEGIN
    EXECUTE 'SELECT pg_typeof(' || expression || ')' INTO type;
    RETURN type;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

-- the operator that an expression is taken for, from a view of it; or the error
CREATE FUNCTION pg_temp.meaning(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    EXECUTE 'CREATE TEMP VIEW meaning AS SELECT ' || expression || ' AS x';
    SELECT string_agg(refobjid::regoperator::text, ' ') INTO found FROM pg_depend d JOIN pg_rewrite r ON r.oid = objid
    WHERE r.ev_class = 'pg_temp.meaning'::regclass AND d.classid = 'pg_rewrite'::regclass AND refclassid = 'pg_operator'::regclass;
    DROP VIEW pg_temp.meaning;
    RETURN found;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

SELECT left_type, right_type, operands, string_agg(o, ' ' ORDER BY n) AS operators
FROM (
    SELECT a.position AS left_position, a.type AS left_type, b.position AS right_position, b.type AS right_type, n, o, regexp_replace(pg_temp.meaning(a.value || ' ' || o || ' ' || b.value), '^[^(]*\(', '(') AS operands
    FROM unnest('{<->,<#>,<=>,<+>,+,-,*,||,<,<=,=,<>,>=,>}'::text[]) WITH ORDINALITY t (o, n), operand a, operand b
    WHERE NOT (a.type = 'real[]' AND b.type = 'real[]') AND NOT (a.type = 'unknown' AND b.type = 'unknown')) c
GROUP BY left_position, left_type, right_position, right_type, operands ORDER BY left_position, right_position, operands;

-- functions of one operand
SELECT replace(f, '(', '') || '(' || type || ')' AS call, pg_temp.result(replace(f, '(', '(' || value || CASE f WHEN 'subvector(' THEN ', 1, 1)' ELSE ')' END)) AS result
FROM unnest('{vector_dims(,vector_norm(,l2_norm(,l2_normalize(,binary_quantize(,subvector(,avg(,sum(}'::text[]) WITH ORDINALITY t (f, n), operand WHERE type <> 'real[]'
ORDER BY n, position;

-- functions of two
SELECT left_type, right_type, result, string_agg(f, ' ' ORDER BY n) AS functions
FROM (
    SELECT a.position AS left_position, a.type AS left_type, b.position AS right_position, b.type AS right_type, n, f, pg_temp.result(f || '(' || a.value || ', ' || b.value || ')') AS result
    FROM unnest('{l2_distance,inner_product,cosine_distance,l1_distance}'::text[]) WITH ORDINALITY t (f, n), operand a, operand b WHERE a.type <> 'real[]' AND b.type <> 'real[]') c
GROUP BY left_position, left_type, right_position, right_type, result ORDER BY left_position, right_position, result;

-- assignment finds a cast between any two of the types, but from int8vec to sparsevec and back: those go by way of vector
CREATE TEMP TABLE target (vector vector, halfvec halfvec, int8vec int8vec);
SELECT b.type || ' := ' || a.type AS assignment, pg_temp.result(format('(SELECT count(*) FROM (SELECT 1) s, LATERAL (SELECT CAST(%s AS %s)) t)', a.value, b.type)) AS result
FROM operand a, operand b WHERE b.type NOT IN ('unknown', 'real[]') ORDER BY b.position, a.position;
INSERT INTO target SELECT '[1,2]'::int8vec, '[1,2]'::int8vec, '[1,2]'::int8vec;
INSERT INTO target SELECT '[1,2]'::vector, '[1,2]'::vector, '[1,2]'::vector;
INSERT INTO target SELECT '[1,2]'::halfvec, '[1,2]'::halfvec, '[1,2]'::halfvec;
SELECT count(*), count(DISTINCT (vector, halfvec, int8vec)) FROM target;

-- a column beside a literal, a parameter, or CASE, COALESCE, UNION and VALUES of mixed types
CREATE TEMP TABLE item (v vector, h halfvec, i int8vec);
INSERT INTO item VALUES ('[1,2]', '[1,2]', '[1,2]');
PREPARE nearest_vector AS SELECT v <-> $1 FROM item;
PREPARE nearest_halfvec AS SELECT h <-> $1 FROM item;
PREPARE nearest_int8vec AS SELECT i <-> $1 FROM item;
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
SELECT pg_typeof(coalesce(i, v)), pg_typeof(coalesce(v, i)), pg_typeof(CASE WHEN true THEN i ELSE v END) FROM item;
SELECT pg_typeof(x) FROM (SELECT i FROM item UNION ALL SELECT v FROM item) u (x);
SELECT coalesce(i, h) FROM item;
SELECT i = ANY (ARRAY[i, '[3,4]']), i = ANY ('{"[1,2]"}'), v = ANY (ARRAY[v, i]) FROM item;
DEALLOCATE ALL;
