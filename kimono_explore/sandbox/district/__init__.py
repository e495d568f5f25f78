"""A made-up district: its schools, people, courses and timetable."""
