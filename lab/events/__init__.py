"""Events by hand: put them on a bus, watch what arrives, replay an archive, try a pattern. The same here and on AWS."""
