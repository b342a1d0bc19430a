CREATE TABLE "order" (
    id uuid PRIMARY KEY,
    cents integer NOT NULL CHECK (cents > 0),
    placed_at timestamptz NOT NULL DEFAULT now()
);
