"""The shapes that travel: requests and their strict reading, answers, errors. Shared by server, client and embedded use."""
