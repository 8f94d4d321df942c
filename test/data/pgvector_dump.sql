--
-- A dump of a pgvector database as pg_dump writes it: written for vecdb's tests, with every type, operator class and place of use.
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA shop;

--
-- Name: vector; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;


--
-- Name: EXTENSION vector; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION vector IS 'vectors of the shop';


CREATE DOMAIN shop.colour AS public.vector(3)
	CONSTRAINT colour_check CHECK ((public.vector_norm(VALUE) < (1000)::double precision));

CREATE TYPE shop.item_key AS (
	v public.vector(2),
	h public.halfvec(2),
	s public.sparsevec(4)
);

CREATE FUNCTION shop.search(q public.vector, k integer) RETURNS TABLE(id bigint, distance double precision)
    LANGUAGE sql STABLE
    SET "hnsw.ef_search" TO '200'
    SET "ivfflat.probes" TO '10'
    AS $$ SELECT i.id, i.embedding OPERATOR(public.<->) q FROM shop.items i ORDER BY i.embedding OPERATOR(public.<->) q LIMIT k $$;

CREATE FUNCTION shop.similarity(a public.vector, b public.vector) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN RETURN 1 - (a OPERATOR(public.<=>) b); END $$;

CREATE FUNCTION shop.squared(a public.vector, b public.vector) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    RETURN ((a OPERATOR(public.<->) b) ^ (2)::double precision);

CREATE FUNCTION shop.shift() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN NEW.colour := ((NEW.colour)::public.vector OPERATOR(public.+) '[1,1,1]'::public.vector)::shop.colour; RETURN NEW; END $$;

CREATE AGGREGATE shop.total(public.vector) (
    SFUNC = public.vector_add,
    STYPE = public.vector,
    COMBINEFUNC = public.vector_add,
    PARALLEL = safe
);

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE shop.items (
    id bigint NOT NULL,
    title text NOT NULL,
    embedding public.vector(6) DEFAULT '[0,0,0,0,0,0]'::public.vector NOT NULL,
    free public.vector,
    half public.halfvec(6) DEFAULT '[1,2,3,4,5,6]'::public.halfvec(6),
    sparse public.sparsevec(30) DEFAULT '{}/30'::public.sparsevec,
    bits bit(12),
    pairs public.vector(2)[],
    unit public.vector(6) GENERATED ALWAYS AS (public.l2_normalize(embedding)) STORED,
    signs bit(6) GENERATED ALWAYS AS ((public.binary_quantize(embedding))::bit(6)) STORED,
    CONSTRAINT items_free_check CHECK (((public.vector_dims(free) >= 1) AND (public.vector_dims(free) <= 9))),
    CONSTRAINT items_near_check CHECK (((embedding OPERATOR(public.<->) '[0,0,0,0,0,0]'::public.vector) < (1000)::double precision))
);

ALTER TABLE shop.items ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME shop.items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY shop.items ALTER COLUMN free SET STORAGE MAIN;

CREATE VIEW shop.nearest AS
 SELECT items.id,
    (items.embedding OPERATOR(public.<=>) '[1,2,3,4,5,6]'::public.vector) AS distance
   FROM shop.items
  ORDER BY (items.embedding OPERATOR(public.<=>) '[1,2,3,4,5,6]'::public.vector)
 LIMIT 5;

CREATE MATERIALIZED VIEW shop.centre AS
 SELECT (items.id % (3)::bigint) AS part,
    public.avg(items.embedding) AS mean,
    public.sum(items.half) AS total
   FROM shop.items
  GROUP BY (items.id % (3)::bigint)
  WITH NO DATA;

CREATE TABLE shop.events (
    id integer NOT NULL,
    day date NOT NULL,
    embedding public.vector(4)
)
PARTITION BY RANGE (day);

CREATE TABLE shop.events_2025 (
    id integer NOT NULL,
    day date NOT NULL,
    embedding public.vector(4)
);

CREATE TABLE shop.events_2026 (
    id integer NOT NULL,
    day date NOT NULL,
    embedding public.vector(4)
);

CREATE TABLE shop.misc (
    colour shop.colour DEFAULT '[1,2,3]'::public.vector NOT NULL,
    key shop.item_key
);

ALTER TABLE ONLY shop.events ATTACH PARTITION shop.events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

ALTER TABLE ONLY shop.events ATTACH PARTITION shop.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

COPY shop.events_2025 (id, day, embedding) FROM stdin;
1	2025-01-15	[2,20,36,12]
2	2025-02-15	[16,46,5,49]
3	2025-03-15	[37,16,36,38]
4	2025-04-15	[12,50,11,11]
5	2025-05-15	[43,18,49,32]
6	2025-06-15	[5,4,31,11]
7	2025-07-15	[1,22,19,33]
8	2025-08-15	[43,30,38,36]
9	2025-09-15	[30,19,39,39]
10	2025-10-15	[48,31,18,13]
\.

COPY shop.events_2026 (id, day, embedding) FROM stdin;
11	2026-11-15	[28,50,25,16]
12	2026-12-15	[7,18,44,25]
13	2026-01-15	[20,2,19,48]
14	2026-02-15	[19,15,3,14]
15	2026-03-15	[17,7,18,6]
16	2026-04-15	[46,34,35,15]
17	2026-05-15	[36,18,9,19]
18	2026-06-15	[0,11,25,12]
19	2026-07-15	[26,7,34,6]
20	2026-08-15	[46,1,32,25]
\.

COPY shop.items (id, title, embedding, free, half, sparse, bits, pairs) FROM stdin;
1	item 1	[-5.5,-8.75,0,11.75,-34.25,-43.75]	[-3,-10]	[23.25,30.25,34,26.5,-14.75,9.25]	{15:8.5,18:5.75,22:8.5,24:-0.5}/30	000111110111	{"[1,0.5]",NULL,"[2,-1]"}
2	item 2	[7.25,4.25,34,17,40.25,2.5]	[6,2,-3]	[-22.75,16.5,-39.25,-13,21,-49.75]	{6:-9.25,9:1,15:9.75,29:8.25}/30	010000100001	{"[2,0.5]",NULL,"[4,-1]"}
3	item 3	[-36.5,-20.5,-44.75,34.25,-32,-27.25]	[6,-2,9,-3]	[47.75,-45.25,-39.75,16.75,30.5,-9.75]	{16:1,17:10,19:-7,24:5.75}/30	111111110100	{"[3,0.5]",NULL,"[6,-1]"}
4	item 4	[-30.75,-49,11.5,-1.5,32.75,-15.25]	[5]	[25,-31,20.75,21.5,-39,1.5]	{21:-6,22:6.5,23:0.5,27:-9.75}/30	111001011011	{"[4,0.5]",NULL,"[8,-1]"}
5	item 5	[-35.5,0.5,13.5,-23.5,-48.25,37.5]	[5,9]	[-32.25,-1.5,-20,-30,-27.5,-27.25]	{12:9.75,14:6,23:4.75,28:7.25}/30	100011011110	{"[5,0.5]",NULL,"[10,-1]"}
6	item 6	[25.5,-48.25,-10.75,-47.75,8,10]	[-3,-2,-2]	[-36.75,31.25,-41,-27.75,25,35.25]	{5:7.5,10:8.5,11:5,16:4.25}/30	111111000011	{"[6,0.5]",NULL,"[12,-1]"}
7	item 7	[-16.5,-31.25,-16.5,-4,-26.25,16.5]	[-9,-9,0,5]	[-15.5,-13.25,24.5,-15,-40,47.5]	{12:8.5,17:-6.5,21:-9,30:9}/30	101000110011	{"[7,0.5]",NULL,"[14,-1]"}
8	item 8	[34.25,-5,-22,41.25,-25.25,-43.25]	[-3]	[39.75,7,16.25,40.25,9,35]	{9:8.5,15:1.5,26:5.75,28:5.25}/30	111001000101	{"[8,0.5]",NULL,"[16,-1]"}
9	item 9	[13.5,-26,-2,-1,45.5,19.75]	[9,6]	[27,42.75,-11.5,-30.5,24.25,-29.75]	{13:1,16:3,27:8.5,28:8.75}/30	111110111111	{"[9,0.5]",NULL,"[18,-1]"}
10	item 10	[41.5,-40.25,29,39,14,23.5]	[-4,8,-2]	[19.25,-42.75,-8.75,-37.75,42.75,-31.5]	{6:-4,8:1.25,23:5}/30	101010100101	{"[10,0.5]",NULL,"[20,-1]"}
11	item 11	[-10.5,-31,-10.25,47.25,29.25,-17.25]	[6,6,9,-7]	[1.75,-48,26.25,42.5,47.5,-20.75]	{2:7.75,5:4.5,17:3.5,18:8.5}/30	110101011010	{"[11,0.5]",NULL,"[22,-1]"}
12	item 12	[-1.5,-21.75,-15.5,29.75,43.75,26.5]	[-7]	[40.75,11.75,31.5,-49.75,-13.25,31.5]	{3:-8,7:4.75,19:1.25,20:4.75}/30	101011100001	{"[12,0.5]",NULL,"[24,-1]"}
13	item 13	[32.75,37,16.5,7.5,12.75,11]	[7,3]	[19.25,44.75,-6.5,7.25,10.25,12]	{4:-8.5,13:0.25,14:7,29:2.25}/30	010010111001	{"[13,0.5]",NULL,"[26,-1]"}
14	item 14	[12.75,33.5,-15,-33,-32,16]	[0,9,8]	[-26.75,12.5,5.25,4,-20.25,6.75]	{5:5,9:9.25,13:-2.5,17:1.5}/30	001100110110	{"[14,0.5]",NULL,"[28,-1]"}
15	item 15	[-12.25,-2.5,41.5,49,-42.5,-49.25]	[10,4,-1,-6]	[32.75,-13.5,9,-43.25,-21,32.25]	{8:9,11:4,17:4.25,27:-2.25}/30	110101100010	{"[15,0.5]",NULL,"[30,-1]"}
16	item 16	[-35.25,-23.5,31,12.25,27.5,-4.75]	[4]	[33.5,32.75,6.5,13.75,-12,-26.75]	{3:5.25,23:4,27:5.25}/30	110110011000	{"[16,0.5]",NULL,"[32,-1]"}
17	item 17	[-25.25,-13.5,-41.5,39.5,45,38]	[-7,3]	[28.75,37.25,-31,-46,-35.25,-22.5]	{10:2.5,19:7.25,21:-6.25,24:7.75}/30	110111010010	{"[17,0.5]",NULL,"[34,-1]"}
18	item 18	[44.5,-47.75,-4.5,41.5,4,4.75]	[-5,-5,9]	[-33.75,-39.5,43.5,-21.5,29.5,35.75]	{21:7,23:2.25,28:9.75,30:1.5}/30	010011011001	{"[18,0.5]",NULL,"[36,-1]"}
19	item 19	[-34.25,25,22,-46.5,2.75,-11.5]	[2,7,-7,9]	[31.75,-30,7,-8,49.5,-5.5]	{2:5,8:4.75,15:3,28:4}/30	111111010010	{"[19,0.5]",NULL,"[38,-1]"}
20	item 20	[-41.75,-21.75,45.25,-39.25,44.5,8.75]	[2]	[-39.75,46.5,-6.25,33.75,-24.75,33]	{14:6.5,22:7.5,27:5.25,30:3}/30	011110001110	{"[20,0.5]",NULL,"[40,-1]"}
21	item 21	[-49,-1,30.5,14.25,13.25,-46.75]	[0,10]	[27.75,-11.25,4.25,-6,41.5,-35.25]	{4:9.75,21:-3,23:-5.5,25:-3.75}/30	111101101001	{"[21,0.5]",NULL,"[42,-1]"}
22	item 22	[20,46.25,8.75,-10.5,-1.25,20]	[-1,6,4]	[11.25,17,-36.75,-32.5,33.5,48.75]	{2:3.5,15:5.75,21:1,23:1}/30	111100001101	{"[22,0.5]",NULL,"[44,-1]"}
23	item 23	[-46,46.25,-20.5,3,48.75,9.5]	[7,-10,5,-4]	[-9.5,-0.5,-3.75,-5,35,31.75]	{1:3.5,22:2,23:7,24:8}/30	001000100101	{"[23,0.5]",NULL,"[46,-1]"}
24	item 24	[-50,-46,-20.5,16.25,-18.75,12]	[-8]	[-32,-39.25,-8.5,-9,30.75,-20.5]	{6:2.75,13:-0.5,16:5.5,27:2.25}/30	111101111100	{"[24,0.5]",NULL,"[48,-1]"}
25	item 25	[48.5,3.5,17.75,46.25,31,30.25]	[-5,0]	[8.5,31.25,-44.75,39.5,25.5,-35.25]	{13:8.75,14:5,26:-6}/30	001011001101	{"[25,0.5]",NULL,"[50,-1]"}
26	item 26	[37.5,-30,16.5,48.5,16,26.75]	[-10,-8,-1]	[-25,-10,-34.5,32,10,-29.5]	{5:-5.75,11:10,22:4.75,26:1.25}/30	011001101100	{"[26,0.5]",NULL,"[52,-1]"}
27	item 27	[-6.25,36.25,49.25,3,39,-6.5]	[2,3,4,-9]	[44.5,33.5,-7.25,3,15.75,-8]	{2:7.5,7:5.5,15:4,27:1}/30	011111010001	{"[27,0.5]",NULL,"[54,-1]"}
28	item 28	[12.25,-19.5,41.5,18.25,36.25,-32.75]	[8]	[-9,-23,-36,-22.75,35,-25.75]	{4:7.5,7:7.25,9:-3.75,23:6.75}/30	110111110101	{"[28,0.5]",NULL,"[56,-1]"}
29	item 29	[-46.75,47.5,-12.75,-32.25,-2,42]	[5,3]	[-10.25,42.5,36.75,26,45.75,-3.5]	{11:-3.5,18:4,30:-2.5}/30	110011111011	{"[29,0.5]",NULL,"[58,-1]"}
30	item 30	[18.5,21.75,22.25,49,-45.25,-23.75]	[4,-8,0]	[16,-30,46.75,-23.75,43.5,25]	{1:9,3:5.75,7:0.75,24:-5}/30	011011101101	{"[30,0.5]",NULL,"[60,-1]"}
31	item 31	[-10,7.25,-37.75,-32,2.25,10.5]	[1,-3,3,-3]	[5.25,-16.75,-12.25,24.25,17,25.25]	{2:-1.75,14:-0.25,21:2.75}/30	001000110100	{"[31,0.5]",NULL,"[62,-1]"}
32	item 32	[45.75,43.75,-47.5,-23.75,35.5,-37.25]	[5]	[25,-0.5,-22.5,12.75,9.5,3]	{10:-4.5,20:0.75,27:10}/30	101011101101	{"[32,0.5]",NULL,"[64,-1]"}
33	item 33	[-4.5,-36.75,-32.75,-16.75,-7.75,34.75]	[0,-4]	[33.75,-47,36.5,-21.5,-39.5,-25]	{5:8.75,10:4,12:2.25,21:4.25}/30	100101001010	{"[33,0.5]",NULL,"[66,-1]"}
34	item 34	[-46.5,-37.25,3.75,38,48.75,-4.75]	[-7,3,-3]	[32.75,-43,31.25,-33.25,43.75,-32.25]	{10:8.5,12:1.75,17:-3.75,27:7.25}/30	110011101111	{"[34,0.5]",NULL,"[68,-1]"}
35	item 35	[-34.75,-5.75,-1.25,-16.5,-5.5,-4.75]	[-1,-10,-9,-8]	[33,10,-38.75,-32,-13,-37]	{10:7.5,15:-6.5,20:-2.25,30:10}/30	100011010001	{"[35,0.5]",NULL,"[70,-1]"}
36	item 36	[-28,36,-46.75,38.75,-21.75,6]	[-1]	[34.25,-46.25,35.5,-28.75,16,-26.75]	{5:4.5,8:6.75,11:4,28:6.25}/30	110111111100	{"[36,0.5]",NULL,"[72,-1]"}
37	item 37	[-28,11.5,-19.75,-47.75,-32.5,-25.75]	[-2,10]	[-3,-32.25,-18.5,40.5,-29.25,36]	{15:-7.25,17:7.5,26:6.5,27:1}/30	000010010100	{"[37,0.5]",NULL,"[74,-1]"}
38	item 38	[-20.25,-48.5,-34.25,-9.25,-45.5,-10.5]	[-1,-3,-3]	[-40,-44.25,-6,-47.75,-14,-2.75]	{6:8.25,7:7.5,21:6.75,25:-4}/30	001001011000	{"[38,0.5]",NULL,"[76,-1]"}
39	item 39	[4.25,-33,20,-9.5,-30.5,-19]	[-2,7,-5,0]	[22.25,15.5,-13.25,47,11,-18]	{3:8,11:6.75,17:-6.25,28:8.5}/30	001100001110	{"[39,0.5]",NULL,"[78,-1]"}
40	item 40	[49.5,1.25,31.5,-24.5,-3.5,22.75]	[9]	[-3.25,20.25,16.25,45.25,8.75,10.25]	{16:2.5,21:-8.5,28:-4.25}/30	000000100111	{"[40,0.5]",NULL,"[80,-1]"}
41	item 41	[23.75,6.75,-4,21,-4,19.25]	[9,-8]	[35.25,-10,-10,-31.25,-8.75,21]	{6:8.5,12:1,28:-8.75}/30	001001011100	{"[41,0.5]",NULL,"[82,-1]"}
42	item 42	[-2.25,30.25,-28.75,32.25,10.5,-44.25]	[0,3,-4]	[-47,48,35.5,23.5,16.75,35]	{1:5,5:-0.75,11:4.5,26:-3.75}/30	111011110011	{"[42,0.5]",NULL,"[84,-1]"}
43	item 43	[-48,-16.5,-32.5,15.75,40.75,-24.75]	[0,8,3,-10]	[34.75,-47.75,35.75,32.5,-20.25,39.5]	{1:-7.75,4:1.25,13:3.25,23:-5.75}/30	101001110011	{"[43,0.5]",NULL,"[86,-1]"}
44	item 44	[29.5,25.5,-9.25,-29.25,-10.5,9.25]	[-3]	[26.25,21.5,42,-26.5,-8,-39.25]	{5:0.5,12:9,13:7.5,30:6.25}/30	111111001111	{"[44,0.5]",NULL,"[88,-1]"}
45	item 45	[-38,13.25,-49.5,-46,30.5,2.75]	[7,-8]	[-0.75,-45.75,-28.75,7.5,3.75,10.75]	{5:2.5,9:8.5,12:8.75,16:6}/30	100000110110	{"[45,0.5]",NULL,"[90,-1]"}
46	item 46	[15,-30.25,-14.75,-16,48.25,-37]	[-1,-9,-4]	[-13.75,12.5,-47.5,-16.75,36,-24.5]	{6:0.25,19:7,24:0.75,29:-2.5}/30	110010100111	{"[46,0.5]",NULL,"[92,-1]"}
47	item 47	[-47.5,15.25,2,17.5,22.25,10.5]	[-8,1,-9,6]	[38.75,-5.75,21.75,-16,43.25,-15.75]	{5:3.25,7:6,9:9,29:4.5}/30	001100100001	{"[47,0.5]",NULL,"[94,-1]"}
48	item 48	[-3.25,5.25,42.75,-11.25,-42.75,20.25]	[-2]	[-28.75,-7.25,8.75,-36.25,49.25,-30.25]	{7:8,13:9.5,20:2.5}/30	101110101110	{"[48,0.5]",NULL,"[96,-1]"}
49	item 49	[-46.75,34.25,47.5,-44.5,0.5,-27.25]	[5,-4]	[-44.5,47,-34.5,43.5,10.5,-22.25]	{4:10,10:2.25,27:2.5,30:4.25}/30	000100101001	{"[49,0.5]",NULL,"[98,-1]"}
50	item 50	[-15.75,-30,47.5,43.25,-4.25,-39]	[-6,8,-1]	[36,20,22,13.5,39.25,-32.25]	{9:-3,17:4.5,22:-5}/30	110100011110	{"[50,0.5]",NULL,"[100,-1]"}
51	item 51	[-0.25,35.25,-43.25,17.75,2.75,18.75]	[-6,7,-4,-4]	[31.5,29.75,0.5,-44.5,-45.25,8.75]	{10:-3,12:-5.5,13:7.5,14:-3.75}/30	101100111101	{"[51,0.5]",NULL,"[102,-1]"}
52	item 52	[-11,-20.5,37.5,-18,12,-16]	[8]	[-17.25,49.25,-25.75,-31.75,-40.25,15]	{18:-3,19:1,20:2.75,29:0.5}/30	110010101100	{"[52,0.5]",NULL,"[104,-1]"}
53	item 53	[13.5,25.25,-15,37.25,9.25,-35.5]	[-9,0]	[-6.75,-7.5,-40.75,40.25,-36.75,12]	{4:6.75,10:5,11:9.75,17:5.75}/30	101100101101	{"[53,0.5]",NULL,"[106,-1]"}
54	item 54	[20.25,27.75,9.25,11.75,23.5,14]	[1,-7,-2]	[-3.25,39.5,-2.5,10.75,-31.5,-41.5]	{4:-7.25,5:3.5,7:-3.5,16:-6.5}/30	011110101100	{"[54,0.5]",NULL,"[108,-1]"}
55	item 55	[27.25,26,24.75,-3.25,-6.5,-36.5]	[5,-1,4,-4]	[-28,19,11.25,1.25,3.75,-30.75]	{10:-9.75,14:-4.25,17:6.5,18:1}/30	001001111100	{"[55,0.5]",NULL,"[110,-1]"}
56	item 56	[-19.25,32.25,-17.25,-29.5,-45.5,-41]	[2]	[34,-39.75,-20.25,0.25,-21.5,46.25]	{7:5.5,19:-6,26:10,27:2.25}/30	111101001110	{"[56,0.5]",NULL,"[112,-1]"}
57	item 57	[24.25,-0.5,-30.5,37.25,28.75,40.75]	[1e-45,3.4028235e+38,-0,0.1,1e-07,1.2345679e+08,1.6777216e+07]	[-28.75,1.25,7,4,-46.5,24.75]	{3:2,6:-4.75,13:-9.75}/30	000001100011	{"[57,0.5]",NULL,"[114,-1]"}
58	item 58	[18.75,10.5,19.5,14.75,16,29.75]	[65504,0.1,-65504]	\N	{3:6.75,10:0.25,23:0.75,29:3.75}/30	010110111000	{"[58,0.5]",NULL,"[116,-1]"}
59	item 59	[1.5,-25,29,-32.25,17.25,-4.5]	[8,-6,-6,4]	[-39.75,-16.75,35.75,6.5,-5.25,40.75]	{}/30	011110110001	{"[59,0.5]",NULL,"[118,-1]"}
60	item 60	[27.25,42.5,-33.75,10.5,45,-18.75]	\N	\N	\N	\N	\N
\.

COPY shop.misc (colour, key) FROM stdin;
[1,2,3]	("[1,2]","[3,4]",{4:7}/4)
[-0.5,100,1e-10]	(,"[65504,-5.9604645e-08]",{}/4)
\.

SELECT pg_catalog.setval('shop.items_id_seq', 60, true);

ALTER TABLE ONLY shop.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY shop.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id, day);

ALTER TABLE ONLY shop.events_2025
    ADD CONSTRAINT events_2025_pkey PRIMARY KEY (id, day);

ALTER TABLE ONLY shop.events_2026
    ADD CONSTRAINT events_2026_pkey PRIMARY KEY (id, day);

ALTER TABLE ONLY shop.misc
    ADD CONSTRAINT misc_pkey PRIMARY KEY (colour);

CREATE INDEX events_embedding ON ONLY shop.events USING hnsw (embedding public.vector_cosine_ops);

CREATE INDEX events_2025_embedding_idx ON shop.events_2025 USING hnsw (embedding public.vector_cosine_ops);

CREATE INDEX events_2026_embedding_idx ON shop.events_2026 USING hnsw (embedding public.vector_cosine_ops);

CREATE INDEX items_embedding_hnsw_l2 ON shop.items USING hnsw (embedding public.vector_l2_ops);

CREATE INDEX items_embedding_hnsw_ip ON shop.items USING hnsw (embedding public.vector_ip_ops) WITH (m='8', ef_construction='40');

CREATE INDEX items_embedding_hnsw_cosine ON shop.items USING hnsw (embedding public.vector_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX items_embedding_hnsw_l1 ON shop.items USING hnsw (embedding public.vector_l1_ops);

CREATE INDEX items_half_hnsw_l2 ON shop.items USING hnsw (half public.halfvec_l2_ops);

CREATE INDEX items_half_hnsw_ip ON shop.items USING hnsw (half public.halfvec_ip_ops) WITH (m='8', ef_construction='40');

CREATE INDEX items_half_hnsw_cosine ON shop.items USING hnsw (half public.halfvec_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX items_half_hnsw_l1 ON shop.items USING hnsw (half public.halfvec_l1_ops);

CREATE INDEX items_sparse_hnsw_l2 ON shop.items USING hnsw (sparse public.sparsevec_l2_ops);

CREATE INDEX items_sparse_hnsw_ip ON shop.items USING hnsw (sparse public.sparsevec_ip_ops) WITH (m='8', ef_construction='40');

CREATE INDEX items_sparse_hnsw_cosine ON shop.items USING hnsw (sparse public.sparsevec_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX items_sparse_hnsw_l1 ON shop.items USING hnsw (sparse public.sparsevec_l1_ops);

CREATE INDEX items_bits_hnsw_hamming ON shop.items USING hnsw (bits public.bit_hamming_ops);

CREATE INDEX items_bits_hnsw_jaccard ON shop.items USING hnsw (bits public.bit_jaccard_ops);

CREATE INDEX items_embedding_ivfflat_l2 ON shop.items USING ivfflat (embedding) WITH (lists='4');

CREATE INDEX items_embedding_ivfflat_ip ON shop.items USING ivfflat (embedding public.vector_ip_ops) WITH (lists='4');

CREATE INDEX items_embedding_ivfflat_cosine ON shop.items USING ivfflat (embedding public.vector_cosine_ops) WITH (lists='4');

CREATE INDEX items_half_ivfflat_l2 ON shop.items USING ivfflat (half public.halfvec_l2_ops) WITH (lists='4');

CREATE INDEX items_half_ivfflat_ip ON shop.items USING ivfflat (half public.halfvec_ip_ops) WITH (lists='4');

CREATE INDEX items_half_ivfflat_cosine ON shop.items USING ivfflat (half public.halfvec_cosine_ops) WITH (lists='4');

CREATE INDEX items_bits_ivfflat_hamming ON shop.items USING ivfflat (bits public.bit_hamming_ops) WITH (lists='4');

CREATE INDEX items_as_half ON shop.items USING hnsw (((embedding)::public.halfvec(6)) public.halfvec_l2_ops);

CREATE INDEX items_as_bits ON shop.items USING hnsw (((public.binary_quantize(embedding))::bit(6)) public.bit_hamming_ops);

CREATE INDEX items_as_part ON shop.items USING hnsw (((public.subvector(embedding, 1, 3))::public.vector(3)) public.vector_cosine_ops);

CREATE INDEX items_free_three ON shop.items USING hnsw (((free)::public.vector(3)) public.vector_l2_ops) WHERE (public.vector_dims(free) = 3);

CREATE INDEX items_free ON shop.items USING btree (free);

CREATE INDEX items_half ON shop.items USING btree (half, id);

CREATE INDEX items_sparse ON shop.items USING btree (sparse);

ALTER INDEX shop.events_embedding ATTACH PARTITION shop.events_2025_embedding_idx;

ALTER INDEX shop.events_pkey ATTACH PARTITION shop.events_2025_pkey;

ALTER INDEX shop.events_embedding ATTACH PARTITION shop.events_2026_embedding_idx;

ALTER INDEX shop.events_pkey ATTACH PARTITION shop.events_2026_pkey;

CREATE STATISTICS shop.items_norm ON public.vector_norm(embedding), id FROM shop.items;

CREATE TRIGGER shift BEFORE UPDATE ON shop.misc FOR EACH ROW WHEN (((new.colour)::public.vector OPERATOR(public.<>) (old.colour)::public.vector)) EXECUTE FUNCTION shop.shift();

CREATE POLICY near ON shop.items FOR SELECT USING (((embedding OPERATOR(public.<->) '[0,0,0,0,0,0]'::public.vector) < (500)::double precision));

REFRESH MATERIALIZED VIEW shop.centre;

--
-- PostgreSQL database dump complete
--
