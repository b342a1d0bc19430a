-- Who has how much: an account cannot be overdrawn, and nobody has two.
CREATE TABLE account (
    id uuid PRIMARY KEY,
    owner text NOT NULL CONSTRAINT one_account_each UNIQUE,
    balance numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT not_overdrawn CHECK (balance >= 0),
    opened_at timestamptz NOT NULL DEFAULT now()
);
