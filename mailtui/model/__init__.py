"""The words of mailtui: accounts, checks, failures. Pure data, standard library only."""
