/* SPDX-License-Identifier: PostgreSQL
 * JDBC: objects of its own for each type, sent and received in text and, as PGBinaryObject, in binary; batches, server-side
 * prepared statements, COPY, cursors by fetch size, transactions with savepoints, errors. The rows are those of the programs
 * in other languages.
 */
import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.util.PGBinaryObject;
import org.postgresql.util.PGobject;

public class WithJdbc
{
	static final int ROWS = 300, DIMS = 8, SPARSE_DIMS = 64, BITS = 64, QUERY = 1000, NEAREST = 10;
	static final Map<String, String> OPERATOR =
		Map.of("l2", "<->", "ip", "<#>", "cosine", "<=>", "l1", "<+>", "hamming", "<~>", "jaccard", "<%>");
	static final Map<Character, String> TYPE_OF = Map.of('v', "vector", 'h', "halfvec", 's', "sparsevec", 'b', "bit");

	record Index(String method, char column, String metric)
	{
		String opclass()
		{
			return TYPE_OF.get(column) + "_" + metric + "_ops";
		}
	}

	static List<Index> indexes(String method, boolean all)
	{
		List<Index> list = new ArrayList<>();
		for (char column : all ? new char[] { 'v', 'h', 's' } : new char[] { 'v', 'h' })
			for (String metric : all ? List.of("l2", "ip", "cosine", "l1") : List.of("l2", "ip", "cosine"))
				list.add(new Index(method, column, metric));
		list.add(new Index(method, 'b', "hamming"));
		if (all)
			list.add(new Index(method, 'b', "jaccard"));
		return list;
	}

	static long scatter(long row, long column)
	{
		long x = (row * 40503 + column * 10007 + 17) % 65521;
		x = (x * x + 12345) % 65521;
		return (x * x + column) % 65521;
	}

	static float element(int row, int column)
	{
		return (scatter(row, column) % 127 - 63) / 8f;
	}

	/* Every value as its elements, those of a sparse one and of a bit string too. */
	static float[] value(char column, int row)
	{
		float[] x = new float[column == 'b' ? BITS : column == 's' ? SPARSE_DIMS : DIMS];
		for (int i = 0; column != 's' && i < x.length; i++)
			x[i] = column == 'b' ? scatter(row, i) >> 3 & 1 : element(row, i);
		for (int k = 0; column == 's' && k < 5; k++)
			x[(row * 7 + k * 11) % SPARSE_DIMS] = element(row, k) == 0 ? 1 : element(row, k);
		return x;
	}

	static double distance(String metric, float[] a, float[] b)
	{
		double l2 = 0, l1 = 0, product = 0, aa = 0, bb = 0, differ = 0, any = 0;
		for (int i = 0; i < a.length; i++) {
			double x = a[i], y = b[i];
			l2 += (x - y) * (x - y);
			l1 += Math.abs(x - y);
			product += x * y;
			aa += x * x;
			bb += y * y;
			differ += x != y ? 1 : 0;
			any += x != 0 || y != 0 ? 1 : 0;
		}
		return switch (metric) {
			case "l2" -> Math.sqrt(l2);
			case "l1" -> l1;
			case "ip" -> -product;
			case "cosine" -> 1 - product / Math.sqrt(aa * bb);
			case "hamming" -> differ;
			default -> any == 0 ? 1 : 1 - product / any;
		};
	}

	static String text(char column, float[] x)
	{
		StringBuilder out = new StringBuilder();
		for (int i = 0; i < x.length; i++) {
			String separator = out.length() == 0 ? "" : ",";
			if (column == 'b')
				out.append(x[i] != 0 ? '1' : '0');
			else if (column != 's')
				out.append(separator).append(x[i]);
			else if (x[i] != 0)
				out.append(separator).append(i + 1).append(':').append(x[i]);
		}
		return column == 'b' ? out.toString() : column == 's' ? "{" + out + "}/" + SPARSE_DIMS : "[" + out + "]";
	}

	/* --- the types, as pgvector's Java package has them ---------------------------------------------------------------- */

	public static abstract class Elements extends PGobject implements PGBinaryObject
	{
		float[] x;
		boolean cameInBinary;

		abstract char column();

		static Elements of(char column, float[] x)
		{
			Elements object = column == 'v' ? new Vector() : column == 'h' ? new HalfVector() : new SparseVector();
			object.x = x;
			object.type = TYPE_OF.get(column);
			return object;
		}

		@Override
		public String getValue()
		{
			return text(column(), x);
		}

		@Override
		public void setValue(String value)
		{
			cameInBinary = false;
			if (column() != 's') {
				String[] parts = value.substring(1, value.length() - 1).split(",");
				x = new float[parts.length];
				for (int i = 0; i < x.length; i++)
					x[i] = Float.parseFloat(parts[i]);
				return;
			}
			String[] halves = value.substring(1).split("\\}/");
			x = new float[Integer.parseInt(halves[1])];
			for (String entry : halves[0].split(",")) {
				String[] pair = entry.split(":");
				x[Integer.parseInt(pair[0]) - 1] = Float.parseFloat(pair[1]);
			}
		}

		@Override
		public void setByteValue(byte[] bytes, int offset)
		{
			cameInBinary = true;
			ByteBuffer in = ByteBuffer.wrap(bytes, offset, bytes.length - offset);
			x = new float[in.getShort()];
			in.getShort();
			for (int i = 0; i < x.length; i++)
				x[i] = in.getFloat();
		}

		ByteBuffer wire()
		{
			ByteBuffer out = ByteBuffer.allocate(4 + 4 * x.length).putShort((short) x.length).putShort((short) 0);
			for (float e : x)
				out.putFloat(e);
			return out;
		}

		@Override
		public int lengthInBytes()
		{
			return wire().position();
		}

		@Override
		public void toBytes(byte[] bytes, int offset)
		{
			ByteBuffer out = wire();
			System.arraycopy(out.array(), 0, bytes, offset, out.position());
		}
	}

	public static class Vector extends Elements
	{
		@Override
		char column()
		{
			return 'v';
		}
	}

	public static class HalfVector extends Elements
	{
		@Override
		char column()
		{
			return 'h';
		}

		/* Java 17 has no half floats: ours are exact and normal, or zero. */
		@Override
		ByteBuffer wire()
		{
			ByteBuffer out = ByteBuffer.allocate(4 + 2 * x.length).putShort((short) x.length).putShort((short) 0);
			for (float e : x) {
				int bits = Float.floatToIntBits(e);
				int half = bits >> 16 & 0x8000 | (bits >> 23 & 0xff) - 112 << 10 | bits >> 13 & 0x3ff;
				out.putShort((short) (e == 0 ? 0 : half));
			}
			return out;
		}

		@Override
		public void setByteValue(byte[] bytes, int offset)
		{
			cameInBinary = true;
			ByteBuffer in = ByteBuffer.wrap(bytes, offset, bytes.length - offset);
			x = new float[in.getShort()];
			in.getShort();
			for (int i = 0; i < x.length; i++) {
				int half = in.getShort();
				int bits = (half & 0x8000) << 16 | (half >> 10 & 31) + 112 << 23 | (half & 0x3ff) << 13;
				x[i] = (half & 0x7fff) == 0 ? 0 : Float.intBitsToFloat(bits);
			}
		}
	}

	public static class SparseVector extends Elements
	{
		@Override
		char column()
		{
			return 's';
		}

		@Override
		ByteBuffer wire()
		{
			int[] filled = java.util.stream.IntStream.range(0, x.length).filter(i -> x[i] != 0).toArray();
			ByteBuffer out = ByteBuffer.allocate(12 + 8 * filled.length).putInt(x.length).putInt(filled.length).putInt(0);
			for (int i : filled)
				out.putInt(i);
			for (int i : filled)
				out.putFloat(x[i]);
			return out;
		}

		@Override
		public void setByteValue(byte[] bytes, int offset)
		{
			cameInBinary = true;
			ByteBuffer in = ByteBuffer.wrap(bytes, offset, bytes.length - offset);
			x = new float[in.getInt()];
			int[] filled = new int[in.getInt()];
			in.getInt();
			for (int i = 0; i < filled.length; i++)
				filled[i] = in.getInt();
			for (int i : filled)
				x[i] = in.getFloat();
		}
	}

	static PGobject bits(String text) throws SQLException
	{
		PGobject object = new PGobject();
		object.setType("bit");
		object.setValue(text);
		return object;
	}

	static PGobject stored(char column, int row) throws SQLException
	{
		return column == 'b' ? bits(text('b', value('b', row))) : Elements.of(column, value(column, row));
	}

	/* --- checks ----------------------------------------------------------------------------------------------------- */

	static int count, failed;

	static void check(boolean passed, String what, String detail)
	{
		count++;
		failed += passed ? 0 : 1;
		System.out.println((passed ? "ok " : "not ok ") + count + " - " + what + (passed ? "" : ": " + detail));
	}

	static void same(Object got, Object expected, String what)
	{
		check(got.equals(expected), what, "got " + got + ", expected " + expected);
	}

	static boolean close(double a, double b)
	{
		return Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b));
	}

	/* Rows of equal distance may stand in any order. */
	static void nearest(ResultSet got, char column, String metric, String what, int... more) throws SQLException
	{
		Map<Integer, Double> own = new TreeMap<>();
		for (int row = 0; row < ROWS; row++)
			own.put(row, distance(metric, value(column, row), value(column, QUERY)));
		for (int row : more)
			own.put(row, distance(metric, value(column, row), value(column, QUERY)));
		double[] best = own.values().stream().mapToDouble(d -> d).sorted().toArray();
		Set<Integer> seen = new HashSet<>();
		String wrong = "";
		while (got.next()) {
			int id = got.getInt(1);
			double d = got.getDouble(2), left = best[seen.size()];
			if (!seen.add(id) || !own.containsKey(id) || !close(d, own.get(id)) || !close(d, left))
				wrong += "row " + id + " at " + d + " in place of one at " + left + "; ";
		}
		if (seen.size() != NEAREST)
			wrong += seen.size() + " rows";
		check(wrong.isEmpty(), what, wrong);
	}

	static void refused(Connection connection, String sql, String state, String message) throws SQLException
	{
		Savepoint before = connection.setSavepoint();
		try (Statement statement = connection.createStatement()) {
			statement.execute(sql);
			check(false, message + ": refused", "no error");
		} catch (SQLException error) {
			same(error.getSQLState() + " " + error.getMessage().split("\n")[0], state + " ERROR: " + message, message + ": refused");
		}
		connection.rollback(before);
	}

	/* ---------------------------------------------------------------------------------------------------------------- */

	static Connection connect(boolean binary) throws SQLException
	{
		String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
		Properties properties = new Properties();
		properties.setProperty("user", System.getenv("PGUSER"));
		properties.setProperty("password", System.getenv().getOrDefault("PGPASSWORD", ""));
		if (binary) {
			/* Results in binary for the types, by their oids; otherwise from the fifth execution on text. */
			try (Connection plain = DriverManager.getConnection(url, properties); Statement s = plain.createStatement();
				 ResultSet r = s.executeQuery("SELECT string_agg(oid::text, ',') FROM pg_type WHERE typname IN ('vector', 'halfvec', 'sparsevec')")) {
				r.next();
				properties.setProperty("binaryTransferEnable", r.getString(1));
			}
			properties.setProperty("prepareThreshold", "-1");
		}
		Connection connection = DriverManager.getConnection(url, properties);
		try (Statement statement = connection.createStatement()) {
			statement.execute("CREATE EXTENSION IF NOT EXISTS vector");
			statement.execute("SET enable_seqscan = off; SET hnsw.ef_search = 400; SET ivfflat.probes = 100");
		}
		PGConnection pg = connection.unwrap(PGConnection.class);
		pg.addDataType("vector", Vector.class);
		pg.addDataType("halfvec", HalfVector.class);
		pg.addDataType("sparsevec", SparseVector.class);
		return connection;
	}

	static String line(int row)
	{
		String out = Integer.toString(row);
		for (char column : "vhsb".toCharArray())
			out += "\t" + text(column, value(column, row));
		return out;
	}

	static void readBack(Connection connection, boolean binary, String what) throws SQLException
	{
		int wrong = 0, rows = 0, inBinary = 0;
		try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM items ORDER BY id")) {
			statement.setFetchSize(77);
			try (ResultSet r = statement.executeQuery()) {
				while (r.next()) {
					String got = Integer.toString(r.getInt(1));
					for (int i = 2; i <= 4; i++) {
						Elements object = (Elements) r.getObject(i);
						inBinary += object.cameInBinary ? 1 : 0;
						got += "\t" + object.getValue();
					}
					wrong += (got + "\t" + r.getString(5)).equals(line(rows)) ? 0 : 1;
					rows++;
				}
			}
		}
		same(rows + " rows, " + wrong + " wrong, " + inBinary + " in binary", "300 rows, 0 wrong, " + (binary ? 900 : 0) + " in binary", what);
	}

	static PreparedStatement question(Connection connection, char column, String metric) throws SQLException
	{
		String distance = column + " " + OPERATOR.get(metric) + " ?";
		PreparedStatement statement =
			connection.prepareStatement("SELECT id, " + distance + " FROM items ORDER BY " + distance + " LIMIT " + NEAREST);
		statement.setObject(1, stored(column, QUERY));
		statement.setObject(2, stored(column, QUERY));
		return statement;
	}

	static void test() throws Exception
	{
		connect(false).close();
		Connection connection = connect(false), inBinary = connect(true);
		System.out.println("# JDBC " + connection.getMetaData().getDriverVersion());
		Statement plain = connection.createStatement();
		plain.execute("CREATE TABLE items (id int PRIMARY KEY, v vector(8), h halfvec(8), s sparsevec(64), b bit(64))");
		int third = ROWS / 3;
		for (int part = 0; part < 2; part++) {
			Connection by = part == 0 ? connection : inBinary;
			try (PreparedStatement insert = by.prepareStatement("INSERT INTO items VALUES (?, ?, ?, ?, ?)")) {
				for (int row = part * third; row < (part + 1) * third; row++) {
					insert.setInt(1, row);
					for (int i = 0; i < 4; i++)
						insert.setObject(i + 2, stored("vhsb".charAt(i), row));
					insert.addBatch();
				}
				same(Arrays.stream(insert.executeBatch()).sum(), third, "batch " + part);
			}
		}
		StringBuilder lines = new StringBuilder();
		for (int row = 2 * third; row < ROWS; row++)
			lines.append(line(row)).append('\n');
		same(connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY items FROM STDIN", new StringReader(lines.toString())),
			(long) third, "COPY");
		ByteArrayOutputStream copied = new ByteArrayOutputStream();
		inBinary.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (SELECT * FROM items WHERE id >= 200 ORDER BY id) TO STDOUT", copied);
		/* The server prints 1 where Java prints 1.0. */
		same(copied.toString(StandardCharsets.UTF_8), lines.toString().replaceAll("\\.0(?=[,}\\]])", ""), "rows read back by COPY");
		connection.setAutoCommit(false);
		readBack(connection, false, "rows read back as text by a cursor");
		connection.commit();
		connection.setAutoCommit(true);
		readBack(inBinary, true, "rows read back in binary");

		for (Index index : indexes("hnsw", true))
			for (Connection by : List.of(connection, inBinary))
				try (PreparedStatement statement = question(by, index.column, index.metric); ResultSet r = statement.executeQuery()) {
					nearest(r, index.column, index.metric, TYPE_OF.get(index.column) + " " + OPERATOR.get(index.metric) + " without an index");
				}
		List<Index> all = indexes("hnsw", true);
		all.addAll(indexes("ivfflat", false));
		for (Index index : all) {
			String kind = index.method + " " + index.opclass();
			plain.execute("CREATE INDEX items_index ON items USING " + index.method + " (" + index.column + " " + index.opclass() + ") WITH ("
				+ (index.method.equals("hnsw") ? "m = 16, ef_construction = 64" : "lists = 8") + ")");
			String plan = "";
			try (ResultSet r = plain.executeQuery("EXPLAIN SELECT id FROM items ORDER BY " + index.column + " " + OPERATOR.get(index.metric)
					 + " '" + stored(index.column, QUERY).getValue() + "' LIMIT 10")) {
				while (r.next())
					plan += r.getString(1) + "\n";
			}
			check(plan.contains("Index Scan using items_index "), kind + " is used", plan);
			for (Connection by : List.of(connection, inBinary))
				try (PreparedStatement statement = question(by, index.column, index.metric)) {
					/* From the fifth time on the driver has the server keep the statement, from the sixth after that one plan for all. */
					for (int time = 0; time < 12; time++)
						try (ResultSet r = statement.executeQuery()) {
							if (time % 4 == 3)
								nearest(r, index.column, index.metric, kind + " answers " + (by == inBinary ? "in binary" : "as text"));
						}
					check(statement.unwrap(PGStatement.class).isUseServerPrepare(), kind + " by a server-side statement", "not prepared");
				}
			plain.execute("DROP INDEX items_index");
		}

		plain.execute("CREATE INDEX ON items USING hnsw (v vector_l1_ops)");
		inBinary.setAutoCommit(false);
		try (PreparedStatement insert = inBinary.prepareStatement("INSERT INTO items (id, v) VALUES (?, ?)")) {
			insert.setInt(1, QUERY);
			insert.setObject(2, stored('v', QUERY));
			insert.executeUpdate();
		}
		try (PreparedStatement statement = question(inBinary, 'v', "l1")) {
			try (ResultSet r = statement.executeQuery()) {
				nearest(r, 'v', "l1", "a row of this transaction is found", QUERY);
			}
			refused(inBinary, "INSERT INTO items (id, v) VALUES (-1, '[1,2]')", "22000", "expected 8 dimensions, not 2");
			refused(inBinary, "SELECT '{1:1}/2'::sparsevec <-> '{1:1}/3'", "22000", "different sparsevec dimensions 2 and 3");
			inBinary.rollback();
			try (ResultSet r = statement.executeQuery()) {
				nearest(r, 'v', "l1", "it is gone after ROLLBACK");
			}
		}
		inBinary.close();
		connection.close();
	}

	public static void main(String[] arguments)
	{
		try {
			test();
		} catch (Throwable error) {
			error.printStackTrace();
			System.out.println("Bail out!");
			System.exit(2);
		}
		System.out.println("1.." + count);
		System.exit(failed != 0 || count == 0 ? 1 : 0);
	}
}
