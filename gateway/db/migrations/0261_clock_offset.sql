-- What has to be added to a call's times to compare them with those of another PBX, whose clock may differ.

ALTER TABLE call ADD COLUMN clock_offset interval NOT NULL DEFAULT '0';
