"""What the port answers: 503 from the first moment, 200 once the golden request was answered right."""
