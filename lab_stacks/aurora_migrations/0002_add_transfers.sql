CREATE TABLE transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    debtor uuid NOT NULL REFERENCES account,
    creditor uuid NOT NULL REFERENCES account,
    amount numeric(12, 2) NOT NULL CHECK (amount > 0),
    moved_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT to_somebody_else CHECK (debtor <> creditor)
);

-- What a statement of account reads.
CREATE INDEX transfer_by_debtor ON transfer (debtor, moved_at);
CREATE INDEX transfer_by_creditor ON transfer (creditor, moved_at);

-- Moves the whole amount or nothing: an account that would be overdrawn undoes it all.
CREATE FUNCTION move(debtor uuid, creditor uuid, amount numeric) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    UPDATE account SET balance = balance - move.amount WHERE id = move.debtor;
    UPDATE account SET balance = balance + move.amount WHERE id = move.creditor;
    INSERT INTO transfer (debtor, creditor, amount)
        VALUES (move.debtor, move.creditor, move.amount) RETURNING id INTO made;
    RETURN made;
END;
$$;
