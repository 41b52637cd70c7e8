"""What a number of a site file can be at most. Beyond these it is a slip of the hand or the unit, refused at import.

Each limit lies above the largest of its kind that we know of (in orders of magnitude; a proposal of ours), so that no
real site is refused.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LEVEL_LIMITS_M = (-500.0, 9000.0)
LevelM = Annotated[float, Field(ge=LEVEL_LIMITS_M[0], le=LEVEL_LIMITS_M[1], allow_inf_nan=False)]
"""Above the site datum; from the shore of the Dead Sea (-430 m) to the highest mountain (8,849 m). [m]"""

DepthM = Annotated[float, Field(ge=0.0, le=200.0, allow_inf_nan=False)]
"""Over a floor; the deepest metro stations lie 106 to 116 m under the street. [m]"""

HeightM = Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)]
"""Of a room; the highest caverns used as halls have 25 to 60 m. [m]"""

BarrierHeightM = Annotated[float, Field(gt=0.0, le=5.0, allow_inf_nan=False)]
"""Of a flood barrier over the crest; doors that close a whole metro entrance have 3 to 4 m. [m]"""

WidthM = Annotated[float, Field(gt=0.0, le=60.0, allow_inf_nan=False)]
"""Clear width of an entrance; twelve lanes of a motorway have 45 m. [m]"""

AreaM2 = Annotated[float, Field(gt=0.0, le=500_000.0, allow_inf_nan=False)]
"""Of one floor; the largest underground shopping centres have about 0.4 km² on all their floors. [m²]"""

OpenAreaM2 = Annotated[float, Field(ge=0.0, le=50_000.0, allow_inf_nan=False)]
"""Of ramps and shafts open to the rain; the open approaches of a long road tunnel have about 20,000 m². [m²]"""

CatchmentM2 = Annotated[float, Field(gt=0.0, le=1e8, allow_inf_nan=False)]
"""Street area that drains to one space; a whole district such as Futian has 79 km². [m²]"""

CapacityM3S = Annotated[float, Field(gt=0.0, le=20.0, allow_inf_nan=False)]
"""Of one pump; those of large storm water stations lift 10 m³/s, those of a garage 0.02 m³/s. [m³/s]"""

DeployMin = Annotated[float, Field(ge=0.0, le=1440.0, allow_inf_nan=False)]
"""To close a barrier: after a day it is none against a storm. [min]"""

IntervalS = Annotated[float, Field(gt=0.0, le=604_800.0, allow_inf_nan=False)]
"""Between two messages of a device: at least one a week. [s]"""

SpeedKmH = Annotated[float, Field(gt=0.0, le=150.0, allow_inf_nan=False)]
"""Of a loaded vehicle on a road. [km/h]"""

MOST_ITEMS = 1_000_000
"""Of one kind of supplies at one place."""

ItemCount = Annotated[float, Field(ge=0.0, le=MOST_ITEMS, allow_inf_nan=False)]
SomeItems = Annotated[float, Field(gt=0.0, le=MOST_ITEMS, allow_inf_nan=False)]

People = Annotated[int, Field(ge=0, le=1_000_000)]
"""In one space; the busiest stations count 3.6 million a day, and never that many at once."""

Vehicles = Annotated[int, Field(ge=0, le=100_000)]
"""In one garage; the largest car parks have 20,000 to 40,000 places."""

Floors = Annotated[int, Field(ge=0, le=50)]
"""Below the ground; the most there are is about 20."""

ThresholdValue = Annotated[float, Field(ge=-10_000.0, le=10_000.0, allow_inf_nan=False)]
"""Of a rule, in its unit (m, mm, m/h, min): a day of the most rain ever measured is 1,825 mm."""

Factor = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
"""From the unit of a foreign payload to ours, and what is added."""

PeriodS = Annotated[float, Field(gt=0.0, le=86_400.0)]
RainPeriodS = Annotated[float, Field(gt=0.0, le=3_600.0)]
"""That a rain depth is the sum of: at most a day. [s]"""

TopicLevel = Annotated[int, Field(ge=1, le=100)]
"""Of an MQTT topic, from 1."""
