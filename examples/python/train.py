import requests
response = requests.post("http://localhost:8002/train", json={
    "model_name": "distilbert",
    "training_data_path": "s3://ml-security/training_data/security_data.jsonl",
    "config": {"epochs": 3, "learning_rate": 2e-5, "batch_size": 16}})
job_id = response.json()["job_id"]; print(f"Training started: {job_id}")
