"""What whoever runs the installation needs: a doctor, backups, figures for the watch."""
