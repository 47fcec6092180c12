"""What a content is and what it is made of, before anything is cut: mail, chat, form, table, data, HTML, prose."""
