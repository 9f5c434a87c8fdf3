"""The pages: each asks the `ConsoleApp` for views and draws a template. No page knows how an answer is made."""
