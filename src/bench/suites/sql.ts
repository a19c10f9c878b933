import { codeFrom } from '../extract.ts'
import { same } from './code.ts'
import { fenced } from './code-generation.ts'
import { prompt, verdict, type Difficulty, type Suite, type Task } from './suite.ts'

interface Question {
  name: string
  difficulty: Difficulty
  wanted: string
  /** Whether row order is part of the answer. */
  ordered?: boolean
  /** For statements that change data: the query to run afterwards. */
  inspect?: string
  reference: string
  wrong: string
}

const schema = `CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, referred_by INTEGER REFERENCES customers(id));
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, price REAL NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), placed_at TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE order_items (order_id INTEGER NOT NULL REFERENCES orders(id), product_id INTEGER NOT NULL REFERENCES products(id), quantity INTEGER NOT NULL, PRIMARY KEY (order_id, product_id));`

/** Two databases: an answer must be right on both. The second contains ties, gaps, nulls and empty tables. */
const databases = [
  `INSERT INTO customers VALUES (1,'Ada','Oslo',NULL),(2,'Ben','Rome',1),(3,'Cleo','Oslo',1),(4,'Dan',NULL,2),(5,'Eve','Bern',4);
INSERT INTO products VALUES (1,'Lamp','home',40),(2,'Desk','home',200),(3,'Pen','office',2.5),(4,'Paper','office',5),(5,'Drone','toys',150);
INSERT INTO orders VALUES (1,1,'2024-01-05','paid'),(2,1,'2024-02-11','paid'),(3,2,'2024-02-20','cancelled'),(4,3,'2024-03-02','paid'),(5,2,'2024-03-15','paid'),(6,4,'2024-03-31','open');
INSERT INTO order_items VALUES (1,1,2),(1,3,10),(2,2,1),(3,5,1),(4,3,4),(4,4,2),(5,1,1),(5,4,6),(6,2,2);`,
  `INSERT INTO customers VALUES (1,'Zoe','Rome',NULL),(2,'Yan','Rome',1),(3,'Xia',NULL,2),(4,'Wim','Paris',3),(5,'Ada','Paris',NULL),(6,'Ada','Rome',5);
INSERT INTO products VALUES (1,'Cup','home',10),(2,'Mug','home',10),(3,'Ink','office',10),(4,'Kite','toys',30),(5,'Ball','toys',30),(6,'Sofa','home',0);
INSERT INTO orders VALUES (1,1,'2023-12-31','paid'),(2,1,'2024-01-01','paid'),(3,2,'2024-01-31','open'),(4,2,'2024-02-29','paid'),(5,4,'2024-02-29','paid'),(6,4,'2024-03-01','cancelled'),(7,5,'2024-03-01','paid'),(8,6,'2024-03-01','paid'),(9,6,'2024-03-02','paid'),(10,1,'2024-06-01','open');
INSERT INTO order_items VALUES (1,1,3),(2,2,3),(3,3,1),(4,4,1),(4,1,1),(5,5,1),(6,5,9),(7,6,1),(8,1,1),(8,2,1);`,
]

const questions: readonly Question[] = [
  {
    name: 'customers-in-city',
    difficulty: 'easy',
    wanted: 'The names of the customers in Oslo or Rome, alphabetically; customers of the same name by id.',
    ordered: true,
    reference: "SELECT name FROM customers WHERE city IN ('Oslo', 'Rome') ORDER BY name, id",
    wrong: "SELECT name FROM customers WHERE city = 'Oslo' ORDER BY name",
  },
  {
    name: 'no-city',
    difficulty: 'easy',
    wanted: 'The ids of the customers that are not in Rome, those without a city included.',
    reference: "SELECT id FROM customers WHERE city IS NOT 'Rome'",
    wrong: "SELECT id FROM customers WHERE city <> 'Rome'",
  },
  {
    name: 'count-by-status',
    difficulty: 'easy',
    wanted: 'Each order status with the number of its orders, most frequent first, ties alphabetically.',
    ordered: true,
    reference: 'SELECT status, count(*) FROM orders GROUP BY status ORDER BY count(*) DESC, status',
    wrong: 'SELECT status, count(*) FROM orders GROUP BY status ORDER BY status',
  },
  {
    name: 'dearest',
    difficulty: 'easy',
    wanted: 'The names of the products with the highest price (all of them, if several share it).',
    reference: 'SELECT name FROM products WHERE price = (SELECT max(price) FROM products)',
    wrong: 'SELECT name FROM products ORDER BY price DESC LIMIT 1',
  },
  {
    name: 'february',
    difficulty: 'easy',
    wanted: 'The ids of the orders placed in February 2024. placed_at is an ISO date.',
    reference: "SELECT id FROM orders WHERE placed_at >= '2024-02-01' AND placed_at < '2024-03-01'",
    wrong: "SELECT id FROM orders WHERE placed_at BETWEEN '2024-02-01' AND '2024-02-28'",
  },
  {
    name: 'order-totals',
    difficulty: 'medium',
    wanted:
      'Every order id with its total (sum of quantity times price), by id. Orders without items have the total 0.',
    ordered: true,
    reference:
      'SELECT o.id, coalesce(sum(i.quantity * p.price), 0) FROM orders o LEFT JOIN order_items i ON i.order_id = o.id LEFT JOIN products p ON p.id = i.product_id GROUP BY o.id ORDER BY o.id',
    wrong:
      'SELECT o.id, sum(i.quantity * p.price) FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY o.id ORDER BY o.id',
  },
  {
    name: 'never-ordered',
    difficulty: 'medium',
    wanted: 'The names of the products that no order which was not cancelled contains.',
    reference:
      "SELECT name FROM products p WHERE NOT EXISTS (SELECT 1 FROM order_items i JOIN orders o ON o.id = i.order_id WHERE i.product_id = p.id AND o.status <> 'cancelled')",
    wrong: 'SELECT name FROM products WHERE id NOT IN (SELECT product_id FROM order_items)',
  },
  {
    name: 'big-spenders',
    difficulty: 'medium',
    wanted: 'The ids of the customers whose paid orders add up to at least 50, with that sum.',
    reference:
      "SELECT o.customer_id, sum(i.quantity * p.price) AS spent FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE o.status = 'paid' GROUP BY o.customer_id HAVING spent >= 50",
    wrong:
      'SELECT o.customer_id, sum(i.quantity * p.price) AS spent FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY o.customer_id HAVING spent >= 50',
  },
  {
    name: 'referrals',
    difficulty: 'medium',
    wanted: 'Every customer (id) with how many customers they referred directly, 0 included, by id.',
    ordered: true,
    reference:
      'SELECT c.id, count(r.id) FROM customers c LEFT JOIN customers r ON r.referred_by = c.id GROUP BY c.id ORDER BY c.id',
    wrong:
      'SELECT c.id, count(*) FROM customers c LEFT JOIN customers r ON r.referred_by = c.id GROUP BY c.id ORDER BY c.id',
  },
  {
    name: 'monthly',
    difficulty: 'medium',
    wanted:
      'Per month of 2024 in which orders were placed (as YYYY-MM): the number of orders and the number of different customers, in order of months.',
    ordered: true,
    reference:
      "SELECT substr(placed_at, 1, 7) AS month, count(*), count(DISTINCT customer_id) FROM orders WHERE placed_at LIKE '2024-%' GROUP BY month ORDER BY month",
    wrong:
      "SELECT substr(placed_at, 1, 7) AS month, count(*), count(customer_id) FROM orders WHERE placed_at LIKE '2024-%' GROUP BY month ORDER BY month",
  },
  {
    name: 'raise-prices',
    difficulty: 'medium',
    wanted:
      'Raise the price of every home product by 10 % and delete the orders that are cancelled together with their items (items first; there are no triggers).',
    inspect:
      'SELECT id, round(price, 6), 0 FROM products UNION ALL SELECT id, status, 1 FROM orders UNION ALL SELECT order_id, product_id, 2 FROM order_items',
    reference:
      "UPDATE products SET price = price * 1.1 WHERE category = 'home'; DELETE FROM order_items WHERE order_id IN (SELECT id FROM orders WHERE status = 'cancelled'); DELETE FROM orders WHERE status = 'cancelled';",
    wrong:
      "UPDATE products SET price = price * 1.1 WHERE category = 'home'; DELETE FROM orders WHERE status = 'cancelled';",
  },
  {
    name: 'top-per-category',
    difficulty: 'hard',
    wanted:
      'Per category the product that was sold most often (sum of quantities over orders that are not cancelled): category, product name, quantity. Ties go to the alphabetically first name; categories of which nothing was sold are left out.',
    reference: `WITH sold AS (
  SELECT p.category, p.name, sum(i.quantity) AS quantity FROM order_items i
  JOIN orders o ON o.id = i.order_id AND o.status <> 'cancelled' JOIN products p ON p.id = i.product_id GROUP BY p.id
), ranked AS (SELECT *, row_number() OVER (PARTITION BY category ORDER BY quantity DESC, name) AS place FROM sold)
SELECT category, name, quantity FROM ranked WHERE place = 1`,
    wrong: `SELECT category, name, max(quantity) FROM (
  SELECT p.category, p.name, sum(i.quantity) AS quantity FROM order_items i JOIN products p ON p.id = i.product_id GROUP BY p.id
) GROUP BY category`,
  },
  {
    name: 'running-total',
    difficulty: 'hard',
    wanted:
      'For every paid order, in order of date and then id: its id, its total, and the running total of that customer’s paid orders up to and including it. Orders without items count as 0.',
    ordered: true,
    reference: `WITH totals AS (
  SELECT o.id, o.customer_id, o.placed_at, coalesce(sum(i.quantity * p.price), 0) AS total FROM orders o
  LEFT JOIN order_items i ON i.order_id = o.id LEFT JOIN products p ON p.id = i.product_id WHERE o.status = 'paid' GROUP BY o.id
) SELECT id, total, sum(total) OVER (PARTITION BY customer_id ORDER BY placed_at, id) FROM totals ORDER BY placed_at, id`,
    wrong: `WITH totals AS (
  SELECT o.id, o.customer_id, o.placed_at, coalesce(sum(i.quantity * p.price), 0) AS total FROM orders o
  LEFT JOIN order_items i ON i.order_id = o.id LEFT JOIN products p ON p.id = i.product_id WHERE o.status = 'paid' GROUP BY o.id
) SELECT id, total, sum(total) OVER (ORDER BY placed_at, id) FROM totals ORDER BY placed_at, id`,
  },
  {
    name: 'referral-tree',
    difficulty: 'hard',
    wanted:
      'All customers that customer 1 referred directly or through others: id and the number of steps from customer 1 (1 for direct), by steps, then id.',
    ordered: true,
    reference: `WITH RECURSIVE tree(id, steps) AS (
  SELECT id, 1 FROM customers WHERE referred_by = 1
  UNION ALL SELECT c.id, t.steps + 1 FROM customers c JOIN tree t ON c.referred_by = t.id
) SELECT id, steps FROM tree ORDER BY steps, id`,
    wrong: `SELECT id, 1 AS steps FROM customers WHERE referred_by = 1
UNION ALL SELECT c.id, 2 FROM customers c JOIN customers d ON c.referred_by = d.id WHERE d.referred_by = 1 ORDER BY steps, id`,
  },
  {
    name: 'gap-between-orders',
    difficulty: 'hard',
    wanted:
      'For every customer with at least two orders of any status: the id and the longest number of days between two successive orders (0 when they are on the same day).',
    reference: `WITH gaps AS (
  SELECT customer_id, julianday(placed_at) - julianday(lag(placed_at) OVER (PARTITION BY customer_id ORDER BY placed_at, id)) AS days FROM orders
) SELECT customer_id, CAST(max(days) AS INTEGER) FROM gaps WHERE days IS NOT NULL GROUP BY customer_id`,
    wrong: `SELECT customer_id, CAST(julianday(max(placed_at)) - julianday(min(placed_at)) AS INTEGER) FROM orders GROUP BY customer_id HAVING count(*) > 1`,
  },
]

function sqlTask({ name, difficulty, wanted, ordered = false, inspect, reference, wrong }: Question): Task {
  const order = (rows: unknown) =>
    ordered
      ? rows
      : (rows as unknown[])
          .map(row => JSON.stringify(row))
          .sort((a, b) => (a < b ? -1 : 1))
          .map(row => JSON.parse(row) as unknown)
  return {
    id: `sql/${name}`,
    difficulty,
    ask: prompt(
      `A SQLite database:\n\n\`\`\`sql\n${schema}\n\`\`\`\n\n${wanted}\n\n${inspect === undefined ? 'Reply with one query whose columns are those asked for, in that order,' : 'Reply with the statements'} in one fenced block. No PRAGMA, no ATTACH.`,
    ),
    check: async (reply, sandbox, signal) => {
      const source = codeFrom(reply.content ?? '', ['sql', 'sqlite'])
      if (source.trim() === '') return verdict('the reply contains no SQL')
      for (const database of databases) {
        const setup = `${schema}\n${database}`
        const run = (source: string) =>
          sandbox.sql({ setup, source, ...(inspect !== undefined && { inspect }) }, signal)
        const wantedRows = (await run(reference)).outcomes[0]?.value
        const got = await run(source)
        if (got.failure !== undefined) return verdict(got.failure)
        const rows = got.outcomes[0]?.value
        if (!same(order(rows), order(wantedRows)))
          return verdict(
            `expected ${JSON.stringify(wantedRows).slice(0, 200)}, got ${JSON.stringify(rows).slice(0, 200)}`,
          )
      }
      return verdict(undefined)
    },
    reference: fenced('sql', reference),
    wrong: fenced('sql', wrong),
  }
}

export const sql: Suite = {
  name: 'sql',
  title: 'SQL on SQLite',
  version: 1,
  maxOutputTokens: 2_048,
  tasks: questions.map(sqlTask),
}
