"""What everything else stands on: errors, clock, ids, money, Swiss time, logs. Imports nothing of ours."""
