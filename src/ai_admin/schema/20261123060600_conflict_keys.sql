-- migrate:up

-- All of them first: nothing is changed until every key is known to be unique.
select require_unique('clients', 'company_id', 'yclients_id');
select require_unique('services', 'company_id', 'yclients_id');
select require_unique('staff', 'company_id', 'yclients_id');
select require_unique('staff_schedules', 'company_id', 'yclients_staff_id', 'date');
select require_unique('bookings', 'company_id', 'yclients_record_id');
select require_unique('dialog_contexts', 'company_id', 'user_id');
select require_unique(
    'booking_notifications', 'company_id', 'yclients_record_id', 'notification_type', 'notification_date'
);
select require_unique('appointments_cache', 'company_id', 'yclients_record_id');
select require_unique('webhook_events', 'company_id', 'event_id');

alter table clients add constraint clients_yclients_company_unique unique (company_id, yclients_id);
alter table services add constraint services_yclients_company_unique unique (company_id, yclients_id);
alter table staff add constraint staff_yclients_company_unique unique (company_id, yclients_id);
alter table staff_schedules
    add constraint staff_schedules_unique_key unique (company_id, yclients_staff_id, date);
alter table bookings add constraint bookings_yclients_company_unique unique (company_id, yclients_record_id);
alter table dialog_contexts add constraint dialog_contexts_user_company_unique unique (company_id, user_id);
alter table booking_notifications
    add constraint booking_notifications_once_a_day
    unique (company_id, yclients_record_id, notification_type, notification_date);
alter table appointments_cache
    add constraint appointments_cache_yclients_company_unique unique (company_id, yclients_record_id);
alter table webhook_events add constraint webhook_events_event_company_unique unique (company_id, event_id);

-- migrate:down

alter table webhook_events drop constraint webhook_events_event_company_unique;
alter table appointments_cache drop constraint appointments_cache_yclients_company_unique;
alter table booking_notifications drop constraint booking_notifications_once_a_day;
alter table dialog_contexts drop constraint dialog_contexts_user_company_unique;
alter table bookings drop constraint bookings_yclients_company_unique;
alter table staff_schedules drop constraint staff_schedules_unique_key;
alter table staff drop constraint staff_yclients_company_unique;
alter table services drop constraint services_yclients_company_unique;
alter table clients drop constraint clients_yclients_company_unique;
