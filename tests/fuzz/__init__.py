"""Whatever comes from outside is read without a crash: by hypothesis in every test run, by coverage in `make fuzz`."""
