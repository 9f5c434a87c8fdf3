"""The shell around the rooms: settings, wiring, the flow of one event, answers, and the work in the background."""
