-- Whose session it is: the user that began it; null for nobody's.
ALTER TABLE mqtt_session ADD COLUMN owner TEXT;
