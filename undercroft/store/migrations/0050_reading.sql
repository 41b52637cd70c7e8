-- What is asked for one space at a time: its devices and its sensors.

create index device_place on device (place_id);
create index sensor_place on sensor (place_id);
