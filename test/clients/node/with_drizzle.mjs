// SPDX-License-Identifier: PostgreSQL
// Drizzle: its own columns vector, halfvec, sparsevec and bit, its distance functions, indexes as its schema declares them.
import pg from 'pg';
import { getTableConfig, bit, halfvec, index, integer, pgTable, sparsevec, vector } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/node-postgres';
import { asc, avg, cosineDistance, eq, hammingDistance, inArray, innerProduct, jaccardDistance, l1Distance, l2Distance, lt, sql }
	from 'drizzle-orm';
import * as s from './support.mjs';

const DISTANCE = {
	l2: l2Distance, ip: innerProduct, cosine: cosineDistance, l1: l1Distance, hamming: hammingDistance, jaccard: jaccardDistance,
};
const columns = () => ({
	id: integer().primaryKey(),
	v: vector({ dimensions: s.DIMS }),
	h: halfvec({ dimensions: s.DIMS }),
	s: sparsevec({ dimensions: s.SPARSE_DIMS }),
	b: bit({ dimensions: s.BITS }),
});
const items = pgTable('items', columns());

// The DDL that drizzle-kit writes, from the same metadata.
const columnsSql = getTableConfig(items).columns.map((c) => `"${c.name}" ${c.getSQLType()}${c.primary ? ' PRIMARY KEY' : ''}`);
const indexSql = (method, column, metric) => {
	const declared = pgTable('items', columns(), (table) => [
		index('items_index').using(method, table[column].asc().nullsLast().op(s.opclass(column, metric)))
			.with(method === 'ivfflat' ? { lists: 8 } : { m: 16, ef_construction: 64 }),
	]);
	const { config } = getTableConfig(declared).indexes[0];
	const [on] = config.columns;
	const settings = Object.entries(config.with).map(([name, setting]) => `${name}=${setting}`).join(',');
	return `CREATE INDEX "${config.name}" ON "items" USING ${config.method} ("${on.name}" ${on.indexConfig.opClass}) WITH (${settings})`;
};

await s.run(async () => {
	s.version('drizzle-orm');
	const pool = new pg.Pool({ options: s.STARTUP });
	const db = drizzle(pool);
	await db.execute(sql`CREATE EXTENSION IF NOT EXISTS vector`);
	await db.execute(sql.raw(`CREATE TABLE items (${columnsSql.join(', ')})`));
	await db.insert(items).values(s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.textOf('s', id), b: s.bits(id) })));
	const all = await db.select().from(items).orderBy(asc(items.id));
	s.same(
		all.map((row) => ({ ...row, s: s.parse('s', row.s) })),
		s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.sparse(id), b: s.bits(id) })),
		'rows read back',
	);
	const ask = (column, metric) => {
		const asked = column === 'v' || column === 'h' ? s.dense(s.QUERY) : s.textOf(column, s.QUERY);
		const distance = DISTANCE[metric](items[column], asked);
		return db.select({ id: items.id, distance }).from(items).orderBy(distance).limit(s.NEAREST);
	};
	for (const [column, metric] of s.DISTANCES) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	const within = await db.select({ id: items.id }).from(items).where(lt(l2Distance(items.v, s.dense(s.QUERY)), 12)).orderBy(items.id);
	const near = s.exact('v', 'l2').filter((row) => row.distance < 12).map((row) => row.id).sort((a, b) => a - b);
	s.same(within.map((row) => row.id), near, 'rows within a distance');
	const [mean] = await db.select({ mean: avg(items.v) }).from(items).where(inArray(items.id, [3, 5]));
	s.same(JSON.parse(mean.mean), s.dense(3).map((x, i) => (x + s.dense(5)[i]) / 2), 'avg');
	for (const [method, column, metric] of s.INDEXES) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		await db.execute(sql.raw(indexSql(method, column, metric)));
		s.usesIndex((await db.execute(sql.raw(s.explain(column, metric)))).rows, 'items_index', `${kind} is used`);
		s.nearest(await ask(column, metric), column, metric, `${kind} answers`);
		await db.execute(sql`DROP INDEX items_index`);
	}
	const nearestOf = (tx, id) => tx.select({ id: items.id }).from(items).orderBy(l2Distance(items.v, s.dense(id))).limit(1);
	await db.execute(sql.raw(s.createIndex('hnsw', 'v', 'l2')));
	await db.transaction(async (tx) => {
		await tx.update(items).set({ v: s.dense(s.QUERY) }).where(eq(items.id, 7));
		s.same(await nearestOf(tx, s.QUERY), [{ id: 7 }], 'an updated row is found by its new value');
		tx.rollback();
	}).catch((error) => s.same(error.message, 'Rollback', 'rolled back'));
	s.same(await nearestOf(db, s.QUERY), [{ id: s.exact('v', 'l2')[0].id }], 'its old value is back after ROLLBACK');
	await s.refused(db.insert(items).values({ id: -1, v: [1, 2] }), '22000', 'expected 8 dimensions, not 2', 'a vector too short is refused');
	await pool.end();
});
