// SPDX-License-Identifier: PostgreSQL
// LlamaIndex's PGVectorStore: it creates the extension and its table, registers the types, asks by cosine; metadata filters,
// collections, deletion, and an hnsw index that an administrator adds.
import pg from 'pg';
import { BaseEmbedding } from '@llamaindex/core/embeddings';
import { Document } from '@llamaindex/core/schema';
import { PGVectorStore } from '@llamaindex/postgres';
import * as s from './support.mjs';

const uuid = (id) => `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
const documents = (ids) => ids.map((id) => new Document({ id_: uuid(id), text: `row ${id}`, metadata: { id, half: id % 2 }, embedding: s.dense(id) }));

// A text is "row N", and its embedding row N.
class Embedding extends BaseEmbedding {
	getTextEmbedding = async (text) => s.dense(Number(text.split(' ')[1]));
}

// Without sorts the planner has to take the rows in the order of an index.
const options = `${s.STARTUP} -c enable_sort=off`;

await s.run(async () => {
	s.version('@llamaindex/postgres');
	const store = new PGVectorStore({
		clientConfig: { connectionString: process.env.DATABASE_URL, options }, dimensions: s.DIMS, embedModel: new Embedding(),
	});
	s.same((await store.add(documents(s.rows))).length, s.ROWS, 'documents added');
	const ask = async (filters) => {
		const found = await store.query({ queryEmbedding: s.dense(s.QUERY), similarityTopK: s.NEAREST, mode: 'default', filters });
		return found.nodes.map((node, i) => ({ id: node.metadata.id, distance: 1 - found.similarities[i], embedding: node.embedding }));
	};
	const found = await ask();
	s.nearest(found, 'v', 'cosine', 'nearest documents without an index');
	s.same(found.map((row) => row.embedding), found.map((row) => s.dense(row.id)), 'embeddings come back as arrays');
	const odd = s.rows.filter((id) => id % 2 === 1);
	const filters = { filters: [{ key: 'half', value: 1, operator: '==' }] };
	s.nearest(await ask(filters), 'v', 'cosine', 'with a filter', { among: odd });
	const admin = new pg.Client({ options });
	await admin.connect();
	await admin.query('CREATE INDEX items_index ON llamaindex_embedding USING hnsw (embeddings vector_cosine_ops)');
	await admin.query('ANALYZE llamaindex_embedding');
	// The planner takes the index for the store's own query, which orders by the alias of its distance and has a collection.
	const plan = await admin.query(`EXPLAIN SELECT v.*, embeddings <=> '${s.textOf('v', s.QUERY)}' s FROM public.llamaindex_embedding v
		WHERE collection = '${store.getCollection()}' ORDER BY s LIMIT 10`);
	s.usesIndex(plan.rows, 'items_index on llamaindex_embedding', 'an index is used');
	s.nearest(await ask(), 'v', 'cosine', 'nearest documents with an index');
	s.nearest(await ask(filters), 'v', 'cosine', 'with a filter and an index', { among: odd });
	const best = s.exact('v', 'cosine')[0].id;
	await store.delete(uuid(best));
	s.nearest(await ask(), 'v', 'cosine', 'after a deletion', { among: s.rows.filter((id) => id !== best) });
	await store.add([new Document({ id_: uuid(1), text: 'again', metadata: { id: best }, embedding: s.dense(best) })]);
	s.nearest(await ask(), 'v', 'cosine', 'a document added again under another text', { among: s.rows.filter((id) => id !== 1) });
	store.setCollection('apart');
	await store.add(documents([s.QUERY]));
	s.same((await ask()).map((row) => row.id), [s.QUERY], 'a collection apart');
	await store.clearCollection();
	s.same(await ask(), [], 'and cleared');
	await admin.end();
});
