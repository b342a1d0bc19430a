"""One runbook a section: a program that uses what was deployed and checks the outcome."""
