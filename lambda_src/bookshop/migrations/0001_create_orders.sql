-- Who ordered which books: the books themselves are in the table of Amazon DynamoDB.
CREATE TABLE customer (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL CONSTRAINT one_customer_each UNIQUE,
    name text NOT NULL
);

CREATE TABLE purchase (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES customer,
    placed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE purchase_line (
    purchase_id uuid NOT NULL REFERENCES purchase ON DELETE CASCADE,
    book_id text NOT NULL,
    quantity integer NOT NULL CONSTRAINT some_copies CHECK (quantity > 0),
    cents integer NOT NULL,
    CONSTRAINT one_line_each PRIMARY KEY (purchase_id, book_id)
);

CREATE INDEX purchase_line_of_book ON purchase_line (book_id) INCLUDE (quantity, cents);
