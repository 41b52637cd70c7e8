"""How good the forecasts would have been: observed street floods, storms with known truth, simple alarms beside."""
