"""Who voices are: what people say of them, what is proposed to people, and where both go with the minutes."""
