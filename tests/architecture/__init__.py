"""The house rules, proved: who imports whom, what is loaded when, what the documents say."""
